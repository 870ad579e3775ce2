#include "cli/retirement.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "outbox/unclaimed.hpp"
#include "outbox/undelivered.hpp"
#include "replication/publication.hpp"

namespace pgat::cli {

namespace {

bool schema_exists(postgres::Connection &sql) {
    return sql.exec("SELECT to_regclass('async_triggers.streams') IS NOT NULL").boolean(0, 0);
}

void find_events(postgres::Connection &sql, Retirement &plan) {
    plan.events = sql.exec("SELECT EXISTS (SELECT FROM async_triggers.events WHERE stream_id = $1)",
                           {plan.stream})
                      .boolean(0, 0);
    if (plan.events && plan.row)
        plan.undelivered = sql.exec(fmt::format("SELECT count(*) FROM async_triggers.events e JOIN "
                                                "async_triggers.streams s ON s.id = e.stream_id "
                                                "WHERE s.id = $1 AND {}",
                                                outbox::undelivered_condition()),
                                    {plan.stream})
                               .integer(0, 0);
}

} // namespace

Retirement plan_one(postgres::Connection &sql, const config::Stream &configured, StreamId stream,
                    Events events) {
    Retirement plan;
    plan.stream = stream;
    const std::string name = replication::stream_object_name(stream);
    plan.slot = replication::find_slot(sql, stream == configured.id ? configured.slot_name : name);
    plan.publication = !sql.exec("SELECT FROM pg_publication WHERE pubname = $1", {name}).empty();
    if (schema_exists(sql)) {
        plan.row = !sql.exec("SELECT FROM async_triggers.streams WHERE id = $1", {stream}).empty();
        plan.subscriptions =
            sql.exec("SELECT count(*) FROM async_triggers.subscriptions WHERE stream_id = $1",
                     {stream})
                .integer(0, 0);
        if (events == Events::removed) find_events(sql, plan);
    }
    return plan;
}

std::vector<Retirement> plan_all(postgres::Connection &sql, const config::Stream &configured,
                                 Events events) {
    std::string query =
        "SELECT substring(pubname FROM '^async_triggers_stream_([0-9]{1,18})$')::bigint "
        "FROM pg_publication WHERE pubname ~ '^async_triggers_stream_[0-9]{1,18}$' "
        "UNION SELECT $1::bigint";
    if (schema_exists(sql)) {
        query += " UNION SELECT id FROM async_triggers.streams"
                 " UNION SELECT stream_id FROM async_triggers.subscriptions";
        if (events == Events::removed)
            query += " UNION SELECT stream_id FROM async_triggers.events";
    }
    const auto streams = sql.exec(query + " ORDER BY 1", {configured.id});
    std::vector<Retirement> plan;
    for (int row = 0; row < streams.rows(); ++row)
        plan.push_back(plan_one(sql, configured, StreamId(streams.integer(row, 0)), events));
    return plan;
}

std::vector<std::string> to_lines(const Retirement &stream) {
    std::vector<std::string> lines;
    if (stream.subscriptions > 0)
        lines.push_back(
            fmt::format("stream {}: {} subscription{} and the triggers that nobody else needs",
                        stream.stream, stream.subscriptions, stream.subscriptions == 1 ? "" : "s"));
    if (stream.slot)
        lines.push_back(
            fmt::format("stream {}: replication slot {}", stream.stream, stream.slot->name));
    if (stream.publication)
        lines.push_back(fmt::format("stream {}: publication {}", stream.stream,
                                    replication::stream_object_name(stream.stream)));
    if (stream.row)
        lines.push_back(
            fmt::format("stream {}: its row in async_triggers.streams, with the record of "
                        "what is delivered",
                        stream.stream));
    if (stream.events && stream.undelivered)
        lines.push_back(
            fmt::format("stream {}: its stored events, {} of them not delivered", stream.stream,
                        *stream.undelivered == 0 ? "none" : std::to_string(*stream.undelivered)));
    else if (stream.events)
        lines.push_back(
            fmt::format("stream {}: its stored events, delivered or not", stream.stream));
    return lines;
}

void require_unused(const Retirement &stream) {
    if (!stream.slot) return;
    const replication::Slot &slot = *stream.slot;
    if (slot.active)
        throw Error(
            Remedy::stop,
            fmt::format("stream {} is in use: a daemon reads slot {}{}", stream.stream, slot.name,
                        slot.active_pid ? fmt::format(" (server process {})", *slot.active_pid)
                                        : ""))
            .with_hint("stop the daemon first, and every standby of it");
}

void retire(postgres::Connection &sql, const Retirement &stream) {
    if (stream.slot) {
        const auto database = sql.exec("SELECT current_database()");
        replication::require_ours(*stream.slot, database.text(0, 0));
        replication::drop_slot(sql, stream.slot->name);
    }
    if (stream.events) outbox::delete_events(sql, stream.stream);
    sql.exec("BEGIN");
    if (stream.subscriptions > 0)
        sql.exec("DELETE FROM async_triggers.subscriptions WHERE stream_id = $1", {stream.stream});
    if (stream.publication) replication::drop_publication(sql, stream.stream);
    if (stream.row) sql.exec("DELETE FROM async_triggers.streams WHERE id = $1", {stream.stream});
    sql.exec("COMMIT");
}

} // namespace pgat::cli
