#include "daemon/readings.hpp"

#include <algorithm>

#include "base/wall_clock.hpp"

namespace pgat::daemon {

std::string_view Readings::state() const noexcept {
    if (view.phase == Phase::recovering && view.failover) return "failover";
    return name_of(view.phase);
}

std::int64_t Readings::waiting() const noexcept {
    auto events = static_cast<std::int64_t>(view.queue.count);
    if (view.survey) events = std::max(events, view.survey->stream.lag.events_at_least);
    if (view.outage) events = std::max(events, static_cast<std::int64_t>(view.outage->waiting));
    // Behind a sink that keeps up the row is seconds behind.
    const bool nothing = !view.failover && lag_seconds < 5;
    return nothing ? static_cast<std::int64_t>(view.queue.count) : events;
}

Readings read_now(const Supervisor &supervisor) {
    Readings now{supervisor.counts(), supervisor.situation().look(), wall_clock(),
                 supervisor.started(), supervisor.oldest_undelivered().get()};
    const auto note = [&](Timestamp written) {
        if (written != Timestamp())
            now.lag_seconds = std::max(now.lag_seconds, seconds_between(written, now.now));
    };
    // What another daemon delivers is not ours to measure.
    if (now.view.phase == Phase::standby) return now;
    note(Timestamp(now.counts.in_hand_since));
    if (now.view.failover && now.view.outage && now.view.outage->first)
        note(now.view.outage->first->created_at);
    return now;
}

} // namespace pgat::daemon
