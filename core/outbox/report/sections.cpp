#include "outbox/report/sections.hpp"

#include "outbox/page_walk.hpp"
#include "outbox/time_text.hpp"
#include "outbox/undelivered.hpp"
#include "replication/slot_creation.hpp"

namespace pgat::outbox::report {

namespace {

using postgres::Connection;
using postgres::Result;

std::optional<Timestamp> time_at(const Result &result, int row, int column) {
    if (result.null(row, column)) return std::nullopt;
    return Timestamp(result.integer(row, column));
}

} // namespace

ServerReport read_server(Connection &connection) {
    const auto row = connection.exec(fmt::format(
        "select current_setting('server_version'), current_database(), pg_is_in_recovery(), {}, "
        "case when pg_is_in_recovery() then coalesce(pg_last_wal_replay_lsn(), '0/0') "
        "else pg_current_wal_lsn() end",
        microseconds_of("clock_timestamp()")));
    ServerReport server;
    server.version = row.text(0, 0);
    server.database = row.text(0, 1);
    server.in_recovery = row.boolean(0, 2);
    server.now = Timestamp(row.integer(0, 3));
    server.wal = row.lsn(0, 4);
    return server;
}

std::optional<StreamRowReport> read_row(Connection &connection, StreamId stream) {
    // Of columns that came later, as json.
    const auto found = connection.exec(
        fmt::format("select uid, generation, {}, {}, {}, confirmed_lsn, failover_checkpoint_id, "
                    "{}, later ->> 'failover_reason', later ->> 'failover_waiting', {}, status "
                    "from (select s.*, to_jsonb(s) as later from async_triggers.streams s "
                    "where id = $1) _",
                    microseconds_of("created_at"), microseconds_of("updated_at"),
                    microseconds_of("next_maintenance_at"),
                    microseconds_of("(later ->> 'failover_since')::timestamptz"),
                    microseconds_of("(later ->> 'next_attempt_at')::timestamptz")),
        {stream});
    if (found.empty()) return std::nullopt;
    StreamRowReport row;
    row.uid = found.text(0, 0);
    row.generation = found.integer(0, 1);
    row.created_at = Timestamp(found.integer(0, 2));
    row.updated_at = Timestamp(found.integer(0, 3));
    row.next_maintenance = time_at(found, 0, 4);
    if (!found.null(0, 5)) row.confirmed = found.lsn(0, 5);
    if (!found.null(0, 6)) row.checkpoint = EventId(found.integer(0, 6));
    if (found.text(0, 11) != "failover") return row;
    row.outage = Outage{time_at(found, 0, 7), std::string(found.text(0, 8)), std::nullopt,
                        time_at(found, 0, 10)};
    if (!found.null(0, 9)) row.outage->waiting = found.integer(0, 9);
    return row;
}

std::vector<StreamId> read_other_streams(Connection &connection, StreamId stream) {
    const auto found = connection.exec("select id from async_triggers.streams where id <> $1 "
                                       "order by id limit 20",
                                       {stream});
    std::vector<StreamId> streams;
    for (int row = 0; row < found.rows(); ++row)
        streams.emplace_back(found.integer(row, 0));
    return streams;
}

std::optional<SlotReport> read_slot(Connection &connection, const ServerReport &server,
                                    std::string_view name) {
    auto found = replication::find_slot(connection, name);
    if (!found) return std::nullopt;
    SlotReport report;
    report.slot = *std::move(found);
    report.in_this_database = report.slot.database == server.database;
    if (report.slot.restart.valid()) report.wal_held = server.wal.bytes_since(report.slot.restart);
    if (report.slot.active_pid) {
        const auto reader =
            connection.exec("select coalesce(application_name, '') from pg_stat_activity "
                            "where pid = $1",
                            {*report.slot.active_pid});
        if (!reader.empty()) report.reader = reader.text(0, 0);
    }
    if (report.slot.being_created())
        for (const auto &blocker : replication::creation_waits_for(connection, name))
            report.waits_for.push_back(blocker.text());
    return report;
}

std::vector<DaemonReport> read_daemons(Connection &connection, StreamId stream,
                                       std::optional<int> slot_reader) {
    // As core/daemon/sessions names them.
    const auto found = connection.exec(
        fmt::format("select application_name, coalesce(min(host(client_addr)), ''), {}, "
                    "coalesce(bool_or(pid = $2::integer), false) from pg_stat_activity "
                    "where application_name ~ $1 group by application_name order by 4 desc, 1",
                    microseconds_of("min(backend_start)")),
        {fmt::format("^async_triggers_{}_[0-9]+_[0-9a-f]{{8}}$", stream), slot_reader});
    std::vector<DaemonReport> daemons;
    for (int row = 0; row < found.rows(); ++row)
        daemons.push_back({std::string(found.text(row, 0)), std::string(found.text(row, 1)),
                           time_at(found, row, 2), found.boolean(row, 3)});
    return daemons;
}

void read_lag(Connection &connection, StreamId stream, bool has_row, Lag &lag) {
    // All rows above the floor are looked at, whosever they are, so that there is an end to it.
    const std::string looked_at =
        has_row
            ? fmt::format("async_triggers.streams s cross join lateral (select e.id, "
                          "e.created_at, e.stream_id = s.id and {} as waits "
                          "from async_triggers.events e where e.id > s.cursor_floor "
                          "order by e.id, e.created_at limit {}) e where s.id = {}",
                          undelivered_condition(), lag_rows, stream)
            : fmt::format("(select e.id, e.created_at, e.stream_id = {} as waits "
                          "from async_triggers.events e order by e.id, e.created_at limit {}) e",
                          stream, lag_rows);
    const auto found = connection.exec(
        fmt::format("{}select count(*) filter (where e.waits), count(*), coalesce(max(e.id), 0), "
                    "{}, (select last_value from async_triggers.events_id_seq) from {}",
                    PageWalk::settings(),
                    microseconds_of("min(e.created_at) filter (where e.waits)"), looked_at));
    lag.events_at_least = lag.events_at_most = found.integer(0, 0);
    if (found.integer(0, 1) == lag_rows)
        lag.events_at_most += std::max<std::int64_t>(found.integer(0, 4) - found.integer(0, 2), 0);
    lag.oldest = time_at(found, 0, 3);
}

PartitionsReport read_partitions(Connection &connection, const ReportRequest &request) {
    const auto found = connection.exec(
        "with today as (select (now() at time zone 'UTC')::date as day), "
        "partition as (select relname::text as name from pg_inherits join pg_class "
        "on pg_class.oid = inhrelid where inhparent = 'async_triggers.events'::regclass "
        "and relname ~ '^events_[0-9]{8}$'), "
        "coming as (select n, 'events_' || to_char(day + n, 'YYYYMMDD') as name "
        "from today, generate_series(0, greatest($1::integer, 400)) n) "
        "select (select count(*) from partition), (select min(name) from partition), "
        "(select name in (select name from partition) from coming where n = 0), "
        "(select coalesce(min(n) - 1, max(n)) from coming where n > 0 "
        " and name not in (select name from partition)), "
        "(select string_agg(name, ' ' order by n) from coming where n <= $1::integer "
        " and name not in (select name from partition)), "
        "(select count(*) from partition, today where substr(name, 8) < to_char(day - $2::integer, "
        "'YYYYMMDD')), "
        "(select count(*) from (select from async_triggers.events_default limit $3) _)",
        {request.days_ahead, request.retention_days, default_rows_limit});
    PartitionsReport report;
    report.count = found.integer(0, 0);
    report.oldest = found.text(0, 1);
    report.today = found.boolean(0, 2);
    report.days_ahead = found.null(0, 3) ? 400 : found.integer(0, 3);
    std::string_view missing = found.text(0, 4);
    while (!missing.empty()) {
        const auto end = std::min(missing.find(' '), missing.size());
        report.missing.emplace_back(missing.substr(0, end));
        missing.remove_prefix(std::min(end + 1, missing.size()));
    }
    report.past_retention = found.integer(0, 5);
    report.default_rows = found.integer(0, 6);
    return report;
}

std::int64_t read_size(Connection &connection) {
    return connection
        .exec("select coalesce(sum(pg_total_relation_size(inhrelid)), 0)::bigint from pg_inherits "
              "where inhparent = 'async_triggers.events'::regclass")
        .integer(0, 0);
}

DeadLettersReport read_dead_letters(Connection &connection, StreamId stream) {
    const auto found = connection.exec(
        fmt::format(
            "with letters as materialized (select event_id, failed_at from "
            "async_triggers.dead_letters where stream_id = $1 "
            "order by event_id desc limit $2) "
            "select count(*), count(*) filter (where failed_at > now() - interval '1 hour'), "
            "(select event_id from letters order by failed_at desc, event_id desc limit 1), "
            "{} from letters",
            microseconds_of("max(failed_at)")),
        {stream, dead_letters_limit});
    DeadLettersReport report;
    report.count = found.integer(0, 0);
    report.last_hour = found.integer(0, 1);
    if (report.count == 0) return report;
    report.newest = EventId(found.integer(0, 2));
    report.newest_at = time_at(found, 0, 3);
    const auto reason =
        connection.exec("select left(coalesce(reason, ''), 1000) from async_triggers.dead_letters "
                        "where stream_id = $1 and event_id = $2 order by failed_at desc limit 1",
                        {stream, *report.newest});
    if (!reason.empty()) report.newest_reason = reason.text(0, 0);
    return report;
}

} // namespace pgat::outbox::report
