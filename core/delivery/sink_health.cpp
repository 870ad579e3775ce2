#include "delivery/sink_health.hpp"

#include <algorithm>

#include "base/wall_clock.hpp"
#include "observe/log.hpp"
#include "outbox/time_text.hpp"

namespace pgat::delivery {

namespace {

constexpr observe::Log log{"delivery"};

// With a short max_backoff_ms a week's outage would fill the disk.
constexpr auto log_interval = std::chrono::seconds(10);

} // namespace

Backoff::Duration SinkHealth::failed(const std::string &reason, Backoff::Duration asked_to_wait) {
    if (failures_++ == 0) since_ = wall_clock();
    const auto wait = std::max(asked_to_wait, backoff_.next());
    if (failures_ < attempts_) {
        log.warn("the sink did not take the batch, it will be offered again",
                 {{"reason", reason}, {"next_attempt_ms", wait.count()}});
        return wait;
    }
    const bool known = outage_.has_value();
    const auto now = std::chrono::steady_clock::now();
    outage_ = Outage{since_, reason, failures_, now + wait};
    const auto since = outbox::time_text(since_);
    if (!known) {
        next_log_ = now;
        log.error("the sink is down, events wait in the table until it is back",
                  {{"reason", reason}, {"since", since}, {"next_attempt_ms", wait.count()}});
    } else if (now >= next_log_) {
        next_log_ = now + log_interval;
        log.warn("the sink is still down", {{"reason", reason},
                                            {"since", since},
                                            {"failed_calls", failures_},
                                            {"next_attempt_ms", wait.count()}});
    }
    return wait;
}

void SinkHealth::succeeded() {
    if (outage_)
        log.info("the sink takes events again",
                 {{"failed_calls", failures_}, {"down_since", outbox::time_text(since_)}});
    outage_.reset();
    failures_ = 0;
    backoff_.reset();
}

void SinkHealth::give_up(const std::string &reason, Backoff::Duration wait) {
    if (failures_ == 0) since_ = wall_clock();
    failures_ = std::max(failures_, attempts_);
    failed(reason, wait);
}

} // namespace pgat::delivery
