// A crash of the plugin in an earlier run: the event it was at is charged with it, once the stream is ours.
#include "daemon/pipeline.hpp"

#include <algorithm>
#include <charconv>

#include "observe/log.hpp"
#include "outbox/crashed_events.hpp"

namespace pgat::daemon {

namespace {

constexpr observe::Log log{"daemon"};

// Out of "<streams.uid>-<id>-<created_at in µs>"; nothing: it is of another stream, or no id at all.
std::optional<outbox::Position> position_in(std::string_view event, std::string_view uid) {
    if (!event.starts_with(uid)) return std::nullopt;
    event.remove_prefix(uid.size());
    std::int64_t id = 0;
    std::int64_t created_at = 0;
    const char *const end = event.data() + event.size();
    if (event.empty() || event.front() != '-') return std::nullopt;
    const auto first = std::from_chars(event.data() + 1, end, id);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
    const auto second = std::from_chars(first.ptr + 1, end, created_at);
    if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
    return outbox::Position{EventId(id), Timestamp(created_at)};
}

} // namespace

void Pipeline::take_crash_into_account() {
    if (memory_.crash != nullptr && memory_.crash->found()) {
        const auto &crash = *memory_.crash->found();
        const auto at = position_in(crash.event, row_.uid);
        if (!at || crash.plugin != config_.sink.type + ".so") {
            log.warn("the crash was of another stream or plugin, no event is charged with it",
                     {{"crash", crash.what()}, {"event", crash.event}});
        } else if (!outbox::is_undelivered(*sql_, memory_.cursor, *at)) {
            log.warn("the event of the crash needs no delivery any more, it is not charged",
                     {{"crash", crash.what()}, {"event", at->id}});
        } else {
            const auto through = std::max(crash.through, at->id);
            outbox::count_crash(*sql_, *memory_.ownership,
                                {*at, 1, through, "the sink crashed: " + crash.what(), false},
                                crash.token);
            log.warn("the event of the crash is charged with it, and events go one by one until "
                     "past those of that call",
                     {{"crash", crash.what()}, {"event", at->id}, {"through", through}});
        }
        memory_.crash->forget();
    }
    dispatcher_.set_crashed_events(
        outbox::load_crashed_events(*sql_, settings_.id, memory_.cursor));
}

} // namespace pgat::daemon
