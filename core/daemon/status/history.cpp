#include "daemon/status/history.hpp"

namespace pgat::daemon {

void History::sample(const Supervisor &supervisor) {
    if (Clock::now() < next_) return;
    next_ = Clock::now() + interval;
    const Readings now = read_now(supervisor);
    const Sample sample{now.now,         now.counts.delivered, now.counts.rejected,
                        now.lag_seconds, now.waiting(),        now.view.phase != Phase::streaming};
    const std::lock_guard lock(mutex_);
    samples_.push_back(sample);
    if (samples_.size() > most) samples_.pop_front();
}

std::vector<History::Sample> History::read() const {
    const std::lock_guard lock(mutex_);
    return {samples_.begin(), samples_.end()};
}

} // namespace pgat::daemon
