#include "outbox/kept_letters.hpp"

#include "base/fault_point.hpp"
#include "outbox/copy_row.hpp"
#include "outbox/time_text.hpp"
#include "postgres/array.hpp"

namespace pgat::outbox {

namespace {

constexpr int lock_class = 0x7067'6174; // "pgat"
constexpr int rows_a_step = 10'000;

std::string conditions_of(const LetterSelection &selection) {
    std::string conditions = fmt::format("stream_id = {}", selection.stream);
    if (!selection.ids.empty())
        conditions += fmt::format(" and event_id = any ('{}'::bigint[])",
                                  postgres::number_array(selection.ids));
    if (selection.failed_until)
        conditions += fmt::format(" and failed_at <= '{}'", time_text(*selection.failed_until));
    return conditions;
}

struct Columns {
    std::string ids;
    std::string times;
};

// Positions as two arrays for unnest().
template <class Letters, class PositionOf>
Columns columns_of(const Letters &letters, PositionOf position_of) {
    std::vector<EventId> ids;
    std::vector<std::string> times;
    for (const auto &letter : letters) {
        const Position &at = position_of(letter);
        ids.push_back(at.id);
        times.push_back(time_text(at.created_at));
    }
    return {postgres::number_array(ids),
            postgres::text_array(
                std::vector<std::optional<std::string_view>>(times.begin(), times.end()))};
}

} // namespace

Timestamp server_time(postgres::Connection &connection) {
    return Timestamp(
        connection.exec("select " + microseconds_of("clock_timestamp()")).integer(0, 0));
}

std::int64_t count_letters(postgres::Connection &connection, const LetterSelection &selection) {
    return connection
        .exec("select count(*) from async_triggers.dead_letters where " + conditions_of(selection))
        .integer(0, 0);
}

std::vector<EventId> missing_letters(postgres::Connection &connection,
                                     const LetterSelection &selection) {
    const auto rows =
        connection.exec("select distinct id from unnest($2::bigint[]) id where not exists (select "
                        "from async_triggers.dead_letters where stream_id = $1 and event_id = id) "
                        "order by id",
                        {selection.stream, postgres::number_array(selection.ids)});
    std::vector<EventId> missing;
    for (int row = 0; row < rows.rows(); ++row)
        missing.emplace_back(rows.integer(row, 0));
    return missing;
}

std::optional<int> take_letters(postgres::Connection &connection, StreamId stream) {
    // Of the session, not of a transaction: the server lets go of it when the session ends, however it
    // ends, and no snapshot is held meanwhile.
    const auto taken = connection.exec(
        "select pg_try_advisory_lock($1::integer, hashint8($2::bigint))", {lock_class, stream});
    if (taken.boolean(0, 0)) return std::nullopt;
    const auto holder = connection.exec(
        "select pid from pg_locks where locktype = 'advisory' and granted and objsubid = 2 "
        "and database = (select oid from pg_database where datname = current_database()) "
        "and classid = $1::oid and objid = (hashint8($2::bigint)::bit(32)::bigint)::oid",
        {lock_class, stream});
    return holder.empty() ? 0 : static_cast<int>(holder.integer(0, 0));
}

bool LetterWalk::read_page(postgres::Connection &connection, Chunk &chunk) {
    if (ended_) return false;
    std::string conditions = conditions_of(selection_);
    if (after_)
        conditions += fmt::format(" and (event_id, event_created_at) > ({}, '{}')", after_->id,
                                  time_text(after_->created_at));
    // In the shape of an event.
    const std::string query = fmt::format(
        "copy (select '0'::xid8, event_id, event_created_at, coalesce(payload, 'null'), metadata "
        "from async_triggers.dead_letters where {} order by event_id, event_created_at limit {}) "
        "to stdout (format binary)",
        conditions, limits_.rows);
    CopyRows rows;
    const bool whole = connection.copy_out_while(query, [&](std::string_view message) {
        rows.add(message, chunk);
        return chunk.bytes < limits_.bytes;
    });
    ended_ = (whole || rows.ended()) && rows.rows() < limits_.rows;
    if (rows.rows() > 0) after_ = rows.last();
    return rows.rows() > 0;
}

void remove_letters(postgres::Connection &connection, StreamId stream,
                    std::span<const Position> letters) {
    if (letters.empty()) return;
    const auto columns =
        columns_of(letters, [](const Position &at) -> const Position & { return at; });
    fault_point("letters_removing");
    connection.exec("delete from async_triggers.dead_letters "
                    "using unnest($2::bigint[], $3::timestamptz[]) as delivered (id, created_at) "
                    "where stream_id = $1 and event_id = id and event_created_at = created_at",
                    {stream, columns.ids, columns.times});
    fault_point("letters_removed");
}

std::int64_t remove_letters(postgres::Connection &connection, const LetterSelection &selection) {
    const std::string step = fmt::format(
        "delete from async_triggers.dead_letters where (stream_id, event_id, event_created_at) in "
        "(select stream_id, event_id, event_created_at from async_triggers.dead_letters where {} "
        "limit {})",
        conditions_of(selection), rows_a_step);
    std::int64_t removed = 0;
    for (;;) {
        const auto affected = static_cast<std::int64_t>(connection.exec(step).affected());
        removed += affected;
        if (affected < rows_a_step) return removed;
    }
}

void mark_letters(postgres::Connection &connection, StreamId stream,
                  std::span<const FailedAgain> letters) {
    if (letters.empty()) return;
    const auto columns = columns_of(
        letters, [](const FailedAgain &letter) -> const Position & { return letter.at; });
    std::vector<std::optional<std::string_view>> reasons;
    std::vector<std::uint32_t> attempts;
    for (const auto &letter : letters) {
        reasons.emplace_back(letter.reason);
        attempts.push_back(letter.attempts);
    }
    connection.exec("update async_triggers.dead_letters kept set reason = failed.reason, "
                    "attempts = coalesce(kept.attempts, 0) + failed.attempts, failed_at = now() "
                    "from unnest($2::bigint[], $3::timestamptz[], $4::text[], $5::integer[]) "
                    "as failed (id, created_at, reason, attempts) "
                    "where stream_id = $1 and event_id = id and event_created_at = created_at",
                    {stream, columns.ids, columns.times, postgres::text_array(reasons),
                     postgres::number_array(attempts)});
}

std::vector<Letter> newest_letters(postgres::Connection &connection,
                                   const LetterSelection &selection,
                                   const std::optional<Position> &before, std::size_t rows,
                                   std::optional<std::size_t> text_limit) {
    std::string conditions = conditions_of(selection);
    if (before)
        conditions += fmt::format(" and (event_id, event_created_at) < ({}, '{}')", before->id,
                                  time_text(before->created_at));
    const auto text = [&](std::string_view column) {
        return text_limit ? fmt::format("left({}, {})", column, *text_limit) : std::string(column);
    };
    const auto found = connection.exec(
        fmt::format("select event_id, {}, {}, coalesce(attempts, 0), {}, {}, metadata "
                    "from async_triggers.dead_letters where {} "
                    "order by event_id desc, event_created_at desc limit {}",
                    microseconds_of("event_created_at"), microseconds_of("failed_at"),
                    text("reason"), text("payload::text"), conditions, rows));
    std::vector<Letter> letters;
    for (int row = 0; row < found.rows(); ++row)
        letters.push_back({{EventId(found.integer(row, 0)), Timestamp(found.integer(row, 1))},
                           Timestamp(found.integer(row, 2)),
                           found.integer(row, 3),
                           std::string(found.text(row, 4)),
                           std::string(found.text(row, 5)),
                           std::string(found.text(row, 6))});
    return letters;
}

} // namespace pgat::outbox
