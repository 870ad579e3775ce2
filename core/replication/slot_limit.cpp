#include "replication/slot_limit.hpp"

#include <algorithm>

namespace pgat::replication {

void SlotLimit::note(Clock::time_point when) {
    const std::lock_guard lock(mutex_);
    created_.push_back(when);
    if (created_.size() > most) created_.pop_front();
}

SlotLimit::Clock::time_point SlotLimit::next(Clock::time_point now) const {
    const std::lock_guard lock(mutex_);
    if (created_.size() < most) return now;
    return std::max(now, created_.front() + within);
}

} // namespace pgat::replication
