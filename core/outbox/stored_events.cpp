#include "outbox/stored_events.hpp"

#include <algorithm>
#include <chrono>

#include "outbox/time_text.hpp"

namespace pgat::outbox {

namespace {

using Clock = std::chrono::steady_clock;

constexpr Timestamp end_of_time(INT64_MAX);
constexpr std::int64_t first_step = 100'000;
constexpr std::int64_t largest_step = 16'000'000;
constexpr auto short_step = std::chrono::milliseconds(200);
constexpr auto long_step = std::chrono::milliseconds(1000);

// Of created_at, so that the planner leaves out the partitions of other days.
std::string time_conditions(const EventRange &range) {
    std::string conditions = "true";
    if (range.from_time)
        conditions += fmt::format(" and created_at >= '{}'", time_text(*range.from_time));
    if (range.to_time)
        conditions += fmt::format(" and created_at <= '{}'", time_text(*range.to_time));
    return conditions;
}

std::string id_conditions(const EventRange &range) {
    std::string conditions = "true";
    if (range.from_id) conditions += fmt::format(" and id >= {}", *range.from_id);
    if (range.to_id) conditions += fmt::format(" and id <= {}", *range.to_id);
    return conditions;
}

std::optional<Position> position(const postgres::Result &row) {
    if (row.empty()) return std::nullopt;
    return Position{EventId(row.integer(0, 0)), Timestamp(row.integer(0, 1))};
}

} // namespace

StoredEvents::StoredEvents(postgres::Connection &connection, const EventRange &range) {
    const auto snapshot = connection.exec("select pg_current_snapshot()");
    conditions_ = fmt::format("stream_id = {} and pg_visible_in_snapshot(xid, '{}') and {}",
                              range.stream, snapshot.text(0, 0), time_conditions(range));
    if (!range.subscription.empty())
        conditions_ += fmt::format(" and payload->>'tg_name' = {}",
                                   connection.quote_literal(range.subscription));
    find_bounds(connection, range);
    if (highest_ < lowest_) return;
    count_in_steps(connection);
    if (count_ == 0) return;
    walk_.emplace(Position{EventId(first_->id.value() - 1), end_of_time}, PageLimits{});
    walk_->end_at(last_->id);
}

void StoredEvents::find_bounds(postgres::Connection &connection, const EventRange &range) {
    const std::string columns = "id, " + microseconds_of("created_at");
    oldest_ = position(connection.exec(
        fmt::format("{}select {} from async_triggers.events order by id, created_at limit 1",
                    PageWalk::settings(), columns)));
    const auto bounds = connection.exec(
        fmt::format("{}select min(id), max(id) from async_triggers.events where {} and {}",
                    PageWalk::settings(), time_conditions(range), id_conditions(range)));
    if (bounds.null(0, 0)) return;
    lowest_ = bounds.integer(0, 0);
    highest_ = bounds.integer(0, 1);
}

void StoredEvents::count_in_steps(postgres::Connection &connection) {
    std::int64_t step = first_step;
    std::optional<std::int64_t> first;
    std::int64_t last = 0;
    for (std::int64_t from = lowest_; from <= highest_;) {
        const std::int64_t to = highest_ - from < step ? highest_ : from + step - 1;
        const auto begun = Clock::now();
        const auto found = connection.exec(
            fmt::format("{}select count(*), min(id), max(id) from async_triggers.events "
                        "where {} and id between {} and {}",
                        PageWalk::settings(), conditions_, from, to));
        const auto took = Clock::now() - begun;
        if (found.integer(0, 0) > 0) {
            count_ += found.integer(0, 0);
            if (!first) first = found.integer(0, 1);
            last = found.integer(0, 2);
        }
        if (took < short_step)
            step = std::min(step * 2, largest_step);
        else if (took > long_step)
            step = std::max<std::int64_t>(step / 2, 1000);
        if (to == highest_) break;
        from = to + 1;
    }
    if (!first) return;
    const auto at = [&](std::int64_t id) {
        return position(connection.exec(
            fmt::format("{}select id, {} from async_triggers.events where {} and id = {}",
                        PageWalk::settings(), microseconds_of("created_at"), conditions_, id)));
    };
    first_ = at(*first);
    last_ = at(last);
    // Their partition has just been dropped.
    if (!first_ || !last_) count_ = 0;
}

bool StoredEvents::read_page(postgres::Connection &connection, Chunk &chunk) {
    if (!walk_ || walk_->done()) return false;
    walk_->read(connection, conditions_, chunk);
    return true;
}

} // namespace pgat::outbox
