#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/check/checks.hpp"
#include "outbox/migrations.hpp"
#include "outbox/partitions.hpp"
#include "outbox/time_text.hpp"
#include "outbox/undelivered.hpp"

namespace pgat::cli::check {

bool check_schema(Report &report, postgres::Connection &sql) {
    const outbox::SchemaState state = outbox::schema_state(sql);
    if (state.found == 0) {
        report.ok("schema", "not there yet: the first run creates it, or migrate does");
    } else if (state.newer_than_binary()) {
        report.fail("schema",
                    fmt::format("the database is at version {}, this binary knows {}", state.found,
                                state.newest),
                    {"install the newer postgres-async-triggers that migrated it"});
    } else if (!state.complete()) {
        report.warn("schema", fmt::format("is at version {} of {}", state.found, state.newest),
                    {"postgres-async-triggers migrate (the next start does it too)"});
    } else {
        report.ok("schema", fmt::format("version {}", state.found));
    }
    return state.found != 0 && state.complete();
}

void check_partitions(Report &report, postgres::Connection &sql,
                      const config::Partitions &partitions) {
    const auto missing = sql.exec(
        "SELECT coalesce(string_agg(name, ', ' ORDER BY name) FILTER "
        "           (WHERE to_regclass('async_triggers.' || name) IS NULL), ''), "
        "       EXISTS (SELECT FROM async_triggers.streams WHERE generation > 0) "
        "FROM (SELECT 'events_' || to_char((now() AT TIME ZONE 'UTC')::date + day, 'YYYYMMDD') "
        "      FROM generate_series(0, $1::int - 1) day) wanted(name)",
        {partitions.days_ahead});
    const std::string_view names = missing.text(0, 0);
    if (names.empty())
        report.ok("partitions", fmt::format("for {} days from today", partitions.days_ahead));
    else if (!missing.boolean(0, 1))
        report.ok("partitions", "none yet: the daemon creates them when it starts");
    else
        report.warn(
            "partitions",
            fmt::format("there is no {}: events of those days go into the default partition",
                        names),
            {"run the daemon: it creates them at its start and daily"});

    constexpr std::int64_t enough = 100000;
    const auto stray = sql.exec("SELECT count(*) FROM (SELECT FROM async_triggers.events_default "
                                "LIMIT $1) rows",
                                {enough})
                           .integer(0, 0);
    if (stray > 0)
        report.warn(
            "default partition",
            fmt::format("holds {}{} events, written while their day's partition was missing",
                        stray == enough ? "at least " : "", stray),
            {"nothing to do: they are delivered, and deleted after the retention time"});
}

void check_undelivered(Report &report, postgres::Connection &sql, const config::Stream &stream) {
    outbox::PartitionPolicy policy;
    policy.retention_days = stream.partitions.retention_days;
    const auto half = outbox::half_of_retention(policy);
    const auto waiting = outbox::undelivered_longer_than(sql, half);
    if (waiting.empty())
        return report.ok("undelivered",
                         fmt::format("no event waits for more than {} hours, half of "
                                     "stream.partitions.retention_days",
                                     half.count()));
    for (const auto &[id, first] : waiting)
        report.warn("undelivered",
                    fmt::format("stream {} has events that wait since {}: first event {}; {}", id,
                                outbox::time_text(first.created_at), first.id,
                                stream.partitions.drop_undelivered
                                    ? fmt::format("after {} days they are lost, as "
                                                  "stream.partitions.drop_undelivered says",
                                                  policy.retention_days)
                                    : "their partitions are kept, and the table grows"),
                    {id == stream.id
                         ? "start the daemon if it does not run; if it does, see to the sink: its "
                           "log says why events are not taken"
                         : fmt::format("see to that stream's daemon and its sink; if the stream "
                                       "has ended: postgres-async-triggers teardown --stream {}",
                                       id)});
}

void check_dead_letters(Report &report, postgres::Connection &sql, StreamId stream) {
    const auto count =
        sql.exec("SELECT count(*) FROM async_triggers.dead_letters WHERE stream_id = $1", {stream})
            .integer(0, 0);
    if (count == 0) return report.ok("dead letters", "none");
    report.warn("dead letters",
                fmt::format("{} event{} could not be delivered", count, count == 1 ? "" : "s"),
                {"postgres-async-triggers dead-letters list shows them and why, retry delivers "
                 "them"});
}

} // namespace pgat::cli::check
