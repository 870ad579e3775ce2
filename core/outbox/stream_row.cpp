#include "outbox/stream_row.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/fault_point.hpp"
#include "outbox/time_text.hpp"
#include "postgres/array.hpp"

namespace pgat::outbox {

namespace {

using postgres::Parameters;
using postgres::Result;

template <class Id>
std::vector<Id> ids(std::string_view array) {
    std::vector<Id> ids;
    for (const std::string_view element : postgres::split_number_array(array)) {
        typename Id::rep value{};
        std::from_chars(element.data(), element.data() + element.size(), value);
        ids.emplace_back(value);
    }
    return ids;
}

// The columns that row_of() reads, in its order.
std::string columns() {
    return fmt::format(
        "uid, generation, coalesce(system_identifier, ''), coalesce(timeline, 0), "
        "coalesce(mod(written_by::text::numeric, 4294967296) = xmin::text::numeric, false), "
        "confirmed_lsn, failover_checkpoint_id, {}, {}, "
        "cursor_snapshot, cursor_extras, cursor_floor, cursor_round_snapshot, cursor_round_id, {}, "
        "cursor_part_xids, cursor_part_ids, cursor_ahead_ids, coalesce(written_by, '0'::xid8), {}",
        microseconds_of("failover_checkpoint_ts"), microseconds_of("next_maintenance_at"),
        microseconds_of("cursor_round_created_at"),
        // An older schema does not have it.
        microseconds_of("(to_jsonb(streams) ->> 'failover_since')::timestamptz"));
}

std::optional<Position> position(const Result &result, int id, int created_at) {
    if (result.null(0, id)) return std::nullopt;
    const bool timeless = result.null(0, created_at);
    return Position{EventId(result.integer(0, id)),
                    Timestamp(timeless ? 0 : result.integer(0, created_at))};
}

// The row keeps only the ids of events that ran ahead; while they are in the table, so are their xids.
std::vector<Cursor::Ahead> ahead(postgres::Connection &connection, std::string_view array) {
    std::vector<Cursor::Ahead> ahead;
    for (const EventId id : ids<EventId>(array))
        ahead.push_back({id, Xid{}});
    if (ahead.empty()) return ahead;
    std::sort(ahead.begin(), ahead.end(), [](auto &a, auto &b) { return a.id < b.id; });
    const Result known = connection.exec(
        "select id, xid from async_triggers.events where id = any ($1::bigint[]) order by id",
        {array});
    auto at = ahead.begin();
    for (int row = 0; row < known.rows(); ++row) {
        const EventId id(known.integer(row, 0));
        at = std::find_if(at, ahead.end(), [&](auto &entry) { return entry.id == id; });
        if (at == ahead.end()) break;
        at->xid = Xid(known.unsigned_integer(row, 1));
    }
    return ahead;
}

StreamRow row_of(postgres::Connection &connection, StreamId stream, const Result &result) {
    StreamRow row;
    row.id = stream;
    row.uid = result.text(0, 0);
    row.generation = Generation(result.integer(0, 1));
    row.home = {std::string(result.text(0, 2)),
                static_cast<std::uint32_t>(result.unsigned_integer(0, 3))};
    row.written_by = Xid(result.unsigned_integer(0, 18));
    row.written_in_place = result.boolean(0, 4);
    if (!result.null(0, 5)) row.confirmed = result.lsn(0, 5);
    row.failover_checkpoint = position(result, 6, 7);
    if (!result.null(0, 8)) row.next_maintenance = Timestamp(result.integer(0, 8));

    if (!result.null(0, 19)) row.failover_since = Timestamp(result.integer(0, 19));

    Snapshot delivered;
    if (!result.null(0, 9)) delivered = Snapshot::from_server(result.text(0, 9));
    std::optional<Cursor::Round> round;
    if (!result.null(0, 12))
        round = Cursor::Round{Snapshot::from_server(result.text(0, 12)), position(result, 13, 14)};
    std::vector<Cursor::Part> parts;
    const auto part_xids = ids<Xid>(result.text(0, 15));
    const auto part_ids = ids<EventId>(result.text(0, 16));
    for (std::size_t i = 0; i < std::min(part_xids.size(), part_ids.size()); ++i)
        parts.push_back({part_xids[i], part_ids[i]});
    row.cursor =
        Cursor(std::move(delivered), ids<Xid>(result.text(0, 10)), EventId(result.integer(0, 11)),
               std::move(round), std::move(parts), ahead(connection, result.text(0, 17)));
    return row;
}

// The identifier of a server is that of its first initdb: a clone, or a container from the same image, has it too.
Error foreign(const StreamRow &row, const Home &here) {
    const bool elsewhere = row.home.system_identifier != here.system_identifier;
    const auto what =
        elsewhere
            ? fmt::format("was restored from a dump of another server (system identifier {}, this "
                          "one is {}): its cursor counts transactions of that server",
                          row.home.system_identifier, here.system_identifier)
            : std::string("is not as this program wrote it: it was restored from a dump, or "
                          "changed by hand, and its cursor may count transactions of another "
                          "server");
    const auto keep =
        elsewhere
            ? ""
            : "if it was changed by hand, or the dump was taken from this very server, keep the "
              "cursor, with no daemon running: \"update async_triggers.streams set written_by = "
              "pg_current_xact_id()\". Otherwise, ";
    return Error(Remedy::stop,
                 fmt::format("the row of stream {} in async_triggers.streams {}", row.id, what))
        .with_hint(fmt::format(
            "{}with no daemon running, adopt it: \"begin; "
            "update async_triggers.events set xid = pg_current_xact_id(); "
            "update async_triggers.streams set system_identifier = null, cursor_snapshot = null, "
            "cursor_extras = '{{}}', cursor_floor = 0, cursor_round_snapshot = null, "
            "cursor_round_id = null, cursor_round_created_at = null, cursor_part_xids = '{{}}', "
            "cursor_part_ids = '{{}}', cursor_ahead_ids = '{{}}', confirmed_lsn = null; commit\" "
            "and every event in the table is delivered again, to every stream; to count them as "
            "delivered instead, run after that \"update async_triggers.streams set "
            "cursor_snapshot = pg_current_snapshot() where id = {}\"",
            keep, row.id));
}

} // namespace

Origin origin_of(const StreamRow &row, const Home &here) noexcept {
    if (row.home.system_identifier.empty()) return Origin::fresh;
    if (!row.written_in_place) return Origin::restored;
    return row.home.system_identifier == here.system_identifier ? Origin::here : Origin::moved;
}

void require_written_here(const StreamRow &row, const Home &here) {
    if (origin_of(row, here) == Origin::restored) throw foreign(row, here);
}

std::optional<StreamRow> load_stream_row(postgres::Connection &connection, StreamId stream) {
    const Result result = connection.exec(
        fmt::format("select {} from async_triggers.streams where id = $1::bigint", columns()),
        {stream});
    if (result.empty()) return std::nullopt;
    return row_of(connection, stream, result);
}

TakenStream take_stream(postgres::Connection &connection, StreamId stream, const Home &here) {
    // The daemon that had it may be writing still, about once a second.
    for (int attempt = 0; attempt < 20; ++attempt) {
        connection.exec(
            "insert into async_triggers.streams (id) values ($1::bigint) on conflict do nothing",
            {stream});
        const Result found = connection.exec(
            fmt::format("select {}, xmin from async_triggers.streams where id = $1::bigint",
                        columns()),
            {stream});
        if (found.empty()) continue;
        TakenStream taken{row_of(connection, stream, found), Origin::fresh, {stream, {}, here}};
        // Before the first write of ours: it would make the row look like one of this server.
        taken.origin = origin_of(taken.before, here);
        require_written_here(taken.before, here);
        fault_point("ownership_taking");
        // One statement, and only over the very tuple that was read: a lock held in between would stay
        // behind, on the server, with a daemon that is cut off there.
        const Result written = connection.exec(
            "update async_triggers.streams set generation = generation + 1, "
            "system_identifier = $2, timeline = $3::integer, "
            "written_by = pg_current_xact_id(), updated_at = now() "
            "where id = $1::bigint and xmin = $4::xid returning generation, written_by",
            {stream, here.system_identifier, here.timeline, found.text(0, found.columns() - 1)});
        if (written.empty()) continue;
        taken.ownership.generation = Generation(written.integer(0, 0));
        *taken.ownership.last_write = written.unsigned_integer(0, 1);
        fault_point("ownership_taken");
        return taken;
    }
    throw Error(Remedy::retry,
                fmt::format("the row of stream {} is written by others all the time", stream));
}

void write_stream_row(postgres::Connection &connection, const Ownership &ours,
                      std::string_view assignments, Parameters parameters) {
    parameters.insert(parameters.begin(), {ours.stream, ours.generation});
    const Result done = connection.exec(
        fmt::format("update async_triggers.streams set {}, written_by = pg_current_xact_id(), "
                    "updated_at = now() where id = $1::bigint and generation = $2::bigint "
                    "and coalesce(written_by >= '{}'::xid8, true) returning written_by",
                    assignments, ours.last_write->load()),
        parameters);
    if (done.empty()) {
        require_ownership(connection, ours);
        throw Error(Remedy::recover,
                    fmt::format("fenced: the row of stream {} is older than what this daemon has "
                                "written: the database was set back in time",
                                ours.stream));
    }
    // Two threads write, and the server's order need not be that of its answers.
    const auto xid = done.unsigned_integer(0, 0);
    auto known = ours.last_write->load();
    while (known < xid && !ours.last_write->compare_exchange_weak(known, xid)) {
    }
}

void store_cursor(postgres::Connection &connection, const Ownership &ours, const Cursor &cursor,
                  Lsn confirmed) {
    std::optional<std::string> round;
    std::optional<EventId> round_id;
    std::optional<std::string> round_created_at;
    if (cursor.round()) {
        round = cursor.round()->snapshot.text();
        if (const auto &delivered = cursor.round()->delivered) {
            round_id = delivered->id;
            round_created_at = time_text(delivered->created_at);
        }
    }
    std::vector<Xid> part_xids;
    std::vector<EventId> part_ids;
    for (const auto &part : cursor.parts()) {
        part_xids.push_back(part.xid);
        part_ids.push_back(part.through);
    }
    std::vector<EventId> ahead_ids;
    for (const auto &entry : cursor.ahead())
        ahead_ids.push_back(entry.id);
    const std::optional<std::string> delivered =
        cursor.delivered().empty() ? std::nullopt : std::optional(cursor.delivered().text());

    fault_point("cursor_storing");
    write_stream_row(connection, ours,
                     "confirmed_lsn = $3::pg_lsn, cursor_snapshot = $4::pg_snapshot, "
                     "cursor_extras = $5::xid8[], cursor_floor = $6::bigint, "
                     "cursor_round_snapshot = $7::pg_snapshot, cursor_round_id = $8::bigint, "
                     "cursor_round_created_at = $9::timestamptz, cursor_part_xids = $10::xid8[], "
                     "cursor_part_ids = $11::bigint[], cursor_ahead_ids = $12::bigint[]",
                     {confirmed.valid() ? std::optional(confirmed) : std::nullopt, delivered,
                      postgres::number_array(cursor.extras().sorted()), cursor.floor(), round,
                      round_id, round_created_at, postgres::number_array(part_xids),
                      postgres::number_array(part_ids), postgres::number_array(ahead_ids)});
    fault_point("cursor_stored");
}

void store_position(postgres::Connection &connection, const Ownership &ours, Lsn confirmed) {
    fault_point("position_storing");
    write_stream_row(connection, ours, "confirmed_lsn = $3::pg_lsn", {confirmed});
    fault_point("position_stored");
}

void store_next_maintenance(postgres::Connection &connection, const Ownership &ours,
                            Timestamp when) {
    write_stream_row(connection, ours, "next_maintenance_at = $3::timestamptz", {time_text(when)});
}

void require_ownership(postgres::Connection &connection, const Ownership &ours) {
    const Result found = connection.exec(
        "select generation from async_triggers.streams where id = $1::bigint", {ours.stream});
    if (found.empty())
        throw Error(Remedy::recover,
                    fmt::format("fenced: the row of stream {} is gone", ours.stream));
    if (Generation(found.integer(0, 0)) != ours.generation)
        throw Error(
            Remedy::recover,
            fmt::format("fenced: another daemon has taken stream {} (generation {}, ours was {})",
                        ours.stream, found.integer(0, 0), ours.generation));
}

} // namespace pgat::outbox
