#include "outbox/crashed_events.hpp"

#include <fmt/format.h>

#include "base/fault_point.hpp"
#include "outbox/time_text.hpp"

namespace pgat::outbox {

bool is_undelivered(postgres::Connection &connection, const Cursor &cursor, const Position &at) {
    const auto found =
        connection.exec("select xid from async_triggers.events where id = $1::bigint "
                        "and created_at = $2::timestamptz",
                        {at.id, time_text(at.created_at)});
    return !found.empty() && !cursor.holds(Xid(found.unsigned_integer(0, 0)), at);
}

void count_crash(postgres::Connection &connection, const Ownership &ours, const CrashedEvent &event,
                 const std::string &crash) {
    fault_point("crash_counting");
    connection.exec(
        "insert into async_triggers.crashed_events as known (stream_id, event_id, "
        "event_created_at, crashes, through_id, reason, last_crash) "
        "select id, $3::bigint, $4::timestamptz, 1, $5::bigint, $6, $7 "
        "from async_triggers.streams where id = $1::bigint and generation = $2::bigint "
        "on conflict (stream_id, event_id, event_created_at) do update "
        "set crashes = known.crashes + 1, reason = excluded.reason, crashed_at = now(), "
        "through_id = greatest(known.through_id, excluded.through_id), "
        "last_crash = excluded.last_crash where known.last_crash <> excluded.last_crash",
        {ours.stream, ours.generation, event.at.id, time_text(event.at.created_at), event.through,
         event.reason, crash});
    fault_point("crash_counted");
}

std::vector<CrashedEvent> load_crashed_events(postgres::Connection &connection, StreamId stream,
                                              const Cursor &cursor) {
    const auto found = connection.exec(
        fmt::format("select event_id, {}, crashes, through_id, reason "
                    "from async_triggers.crashed_events where stream_id = $1::bigint "
                    "order by event_id, event_created_at",
                    microseconds_of("event_created_at")),
        {stream});
    std::vector<CrashedEvent> events;
    for (int row = 0; row < found.rows(); ++row) {
        CrashedEvent event;
        event.at = {EventId(found.integer(row, 0)), Timestamp(found.integer(row, 1))};
        event.crashes = static_cast<std::uint32_t>(found.integer(row, 2));
        event.through = EventId(found.integer(row, 3));
        event.reason = found.text(row, 4);
        event.settled = !is_undelivered(connection, cursor, event.at);
        events.push_back(std::move(event));
    }
    return events;
}

void forget_crashed_events(postgres::Connection &connection, StreamId stream,
                           std::span<const Position> events) {
    for (const auto &at : events)
        connection.exec(
            "delete from async_triggers.crashed_events where stream_id = $1::bigint and "
            "event_id = $2::bigint and event_created_at = $3::timestamptz",
            {stream, at.id, time_text(at.created_at)});
}

} // namespace pgat::outbox
