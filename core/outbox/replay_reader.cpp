#include "outbox/replay_reader.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

namespace pgat::outbox {

namespace {

constexpr Timestamp end_of_time(INT64_MAX);

const Cursor::Round &open_round(const Cursor &cursor) {
    if (!cursor.round()) throw std::logic_error("a replay needs an open round");
    return *cursor.round();
}

Position begin_of(const Cursor &cursor) {
    const Position floor{cursor.floor(), end_of_time};
    return std::max(floor, open_round(cursor).delivered.value_or(floor));
}

std::string conditions_of(StreamId stream, const Cursor &cursor) {
    std::string conditions = fmt::format("stream_id = {} and pg_visible_in_snapshot(xid, '{}')",
                                         stream, open_round(cursor).snapshot.text());
    if (!cursor.delivered().empty())
        conditions +=
            fmt::format(" and not pg_visible_in_snapshot(xid, '{}')", cursor.delivered().text());
    return conditions;
}

} // namespace

ReplayReader::ReplayReader(StreamId stream, Cursor cursor, PageLimits limits)
    : cursor_(std::move(cursor)), conditions_(conditions_of(stream, cursor_)),
      walk_(begin_of(cursor_), limits) {}

bool ReplayReader::read_page(postgres::Connection &connection, Chunk &chunk) {
    if (!walk_.knows_its_end())
        walk_.end_at(EventId(
            connection.exec("select last_value from async_triggers.events_id_seq").integer(0, 0)));
    if (walk_.done()) return false;
    walk_.read(connection, conditions_, chunk,
               [this](const Event &event) { return !cursor_.holds(event.xid, event.at); });
    return true;
}

} // namespace pgat::outbox
