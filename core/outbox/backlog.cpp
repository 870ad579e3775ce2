#include "outbox/backlog.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "outbox/page_walk.hpp"
#include "outbox/time_text.hpp"
#include "postgres/array.hpp"

namespace pgat::outbox {

namespace {

// About a quarter of a second.
constexpr std::int64_t range = 1'000'000;

// Cursor::holds() in SQL, negated.
std::string undelivered(StreamId stream, const Cursor &cursor) {
    std::string conditions = fmt::format("stream_id = {}", stream);
    if (!cursor.delivered().empty())
        conditions +=
            fmt::format(" and not pg_visible_in_snapshot(xid, '{}')", cursor.delivered().text());
    if (!cursor.extras().empty())
        conditions += fmt::format(" and xid <> all ('{}'::xid8[])",
                                  postgres::number_array(cursor.extras().sorted()));
    if (const auto &round = cursor.round(); round && round->delivered)
        conditions += fmt::format(
            " and not ((id, created_at) <= ({}, '{}') and pg_visible_in_snapshot(xid, '{}'))",
            round->delivered->id, time_text(round->delivered->created_at), round->snapshot.text());
    for (const auto &part : cursor.parts())
        conditions += fmt::format(" and not (xid = '{}' and id <= {})", part.xid, part.through);
    if (cursor.ahead().empty()) return conditions;
    std::vector<EventId> ahead;
    for (const auto &entry : cursor.ahead())
        ahead.push_back(entry.id);
    return conditions +
           fmt::format(" and id <> all ('{}'::bigint[])", postgres::number_array(ahead));
}

} // namespace

BacklogCount::BacklogCount(postgres::Connection &connection, StreamId stream, const Cursor &cursor)
    : conditions_(undelivered(stream, cursor)), from_(cursor.floor().value()),
      last_(connection.exec("select last_value from async_triggers.events_id_seq").integer(0, 0)) {}

void BacklogCount::count_range(postgres::Connection &connection) {
    if (done()) return;
    const std::int64_t to = last_ - from_ > range ? from_ + range : last_;
    const auto counted = connection.exec(
        fmt::format("{}select count(*), coalesce(min(id), 0) from async_triggers.events "
                    "where id > {} and id <= {} and {}",
                    PageWalk::settings(), from_, to, conditions_));
    if (counted.integer(0, 0) > 0 && !counted_.first) {
        // Gone since: it is past retention.
        const auto first = connection.exec(
            fmt::format("select {} from async_triggers.events where id = {} limit 1",
                        microseconds_of("created_at"), counted.integer(0, 1)));
        if (!first.empty())
            counted_.first =
                Position{EventId(counted.integer(0, 1)), Timestamp(first.integer(0, 0))};
    }
    counted_.events += counted.unsigned_integer(0, 0);
    from_ = to;
}

} // namespace pgat::outbox
