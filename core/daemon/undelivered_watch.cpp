#include "daemon/undelivered_watch.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "observe/log.hpp"
#include "outbox/time_text.hpp"

namespace pgat::daemon {

namespace {

constexpr observe::Log log{"housekeeping"};

constexpr auto interval = std::chrono::hours(1);
constexpr auto interval_while_waiting = std::chrono::minutes(1);

std::string way_out(StreamId stream, bool ours) {
    return ours ? "see to the sink: why it does not take them stands in this log"
                : fmt::format("see to that stream's daemon and its sink; if the stream has ended: "
                              "postgres-async-triggers teardown --stream {}",
                              stream);
}

} // namespace

// At most once an hour for each.
bool UndeliveredWatch::is_news(const std::string &what) {
    const auto now = Clock::now();
    const auto [known, first] = told_.try_emplace(what, now);
    if (!first && now - known->second < interval) return false;
    known->second = now;
    return true;
}

void UndeliveredWatch::tell(const outbox::Undelivered &undelivered) {
    if (!is_news(fmt::format("stream {}", undelivered.stream))) return;
    const std::string what_follows =
        policy_.drop_undelivered
            ? fmt::format("they are lost when they are {} days old (partitions.drop_undelivered)",
                          policy_.retention_days)
            : "their partitions are kept, and the table grows, until they are delivered";
    log.warn("events wait undelivered for more than half of the retention time",
             {{"stream", undelivered.stream},
              {"first_event", undelivered.first.id},
              {"since", outbox::time_text(undelivered.first.created_at)},
              {"retention_days", policy_.retention_days},
              {"what_follows", what_follows},
              {"hint", way_out(undelivered.stream, undelivered.stream == ours_)}});
}

void UndeliveredWatch::look(postgres::Connection &sql) {
    const auto found = outbox::undelivered_longer_than(sql, outbox::half_of_retention(policy_));
    Timestamp oldest;
    for (const auto &undelivered : found) {
        tell(undelivered);
        const auto written = undelivered.first.created_at;
        oldest = oldest == Timestamp() ? written : std::min(oldest, written);
    }
    oldest_.set(oldest);
    if (any_ && found.empty())
        log.info("no event waits for more than half of the retention time any more");
    any_ = !found.empty();
    if (!any_) told_.clear();
    due_ =
        Clock::now() + (any_ ? Clock::duration(interval_while_waiting) : Clock::duration(interval));
}

void UndeliveredWatch::report(const outbox::PartitionWork &work) {
    for (const auto &kept : work.kept)
        if (is_news(kept.partition))
            log.warn(
                "a partition past retention is kept, it has undelivered events",
                {{"partition", kept.partition},
                 {"streams", kept.streams},
                 {"since", outbox::time_text(kept.since)},
                 {"hint",
                  "it goes once they are delivered: see to the sinks of these streams and to "
                  "their daemons (one without a row never had one); a stream that has ended holds "
                  "it until postgres-async-triggers teardown --stream ID"}});
    for (const auto &lost : work.lost)
        if (is_news("lost " + lost.partition))
            log.error(
                "undelivered events past retention are lost with their partition",
                {{"partition", lost.partition},
                 {"streams", lost.streams},
                 {"since", outbox::time_text(lost.since)},
                 {"hint", "partitions.drop_undelivered says so; without it they would have been "
                          "kept"}});
}

} // namespace pgat::daemon
