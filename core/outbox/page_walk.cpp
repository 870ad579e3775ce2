#include "outbox/page_walk.hpp"

#include <algorithm>

#include "outbox/time_text.hpp"

namespace pgat::outbox {

namespace {

constexpr Timestamp end_of_time(INT64_MAX);
// The first page finds out how large the rows are.
constexpr std::size_t first_rows = 1000;
constexpr std::size_t fewest_rows = 16;
// About a second of looking at rows that are not wanted.
constexpr std::int64_t largest_span = 4'000'000;

} // namespace

PageWalk::PageWalk(Position after, PageLimits limits)
    : limits_(limits), after_(after), rows_(std::clamp<std::size_t>(limits.rows, 1, first_rows)),
      span_(static_cast<std::int64_t>(rows_) * 4) {}

std::string_view PageWalk::settings() noexcept {
    // The primary key gives the order, partition by partition; a planner that knows little of a new
    // partition would rather read and sort all of it. The rows of one page are worth no compilation
    // and no helpers.
    return "set local enable_seqscan = off; set local enable_bitmapscan = off; "
           "set local enable_sort = off; set local jit = off; "
           "set local max_parallel_workers_per_gather = 0; ";
}

EventId PageWalk::page_end() const noexcept {
    // Without an end to the range, the page's first row would be looked for in each partition that
    // lies ahead, however many delivered rows it begins with, again for every page.
    const std::int64_t last = end_ ? end_->value() : after_.id.value();
    return EventId(last - after_.id.value() > span_ ? after_.id.value() + span_ : last);
}

std::string PageWalk::query(std::string_view conditions) const {
    return fmt::format("select xid, id, created_at, payload, metadata from async_triggers.events "
                       "where {} and (id, created_at) > ({}, '{}') and id <= {} "
                       "order by id, created_at limit {}",
                       conditions, after_.id, time_text(after_.created_at), page_end(), rows_);
}

void PageWalk::read(postgres::Connection &connection, std::string_view conditions, Chunk &chunk,
                    const CopyRows::Wanted &wanted) {
    const std::size_t events_before = chunk.events.size();
    const std::size_t bytes_before = chunk.bytes;
    std::size_t bytes_read = 0;
    CopyRows rows;
    bool to_its_end = false;
    try {
        to_its_end = connection.copy_out_while(
            fmt::format("{}copy ({}) to stdout (format binary)", settings(), query(conditions)),
            [&](std::string_view message) {
                rows.add(message, chunk, wanted);
                bytes_read += message.size();
                return chunk.bytes - bytes_before < limits_.bytes;
            });
    } catch (...) {
        chunk.events.resize(events_before);
        chunk.bytes = bytes_before;
        throw;
    }
    passed(rows, bytes_read, !to_its_end && !rows.ended());
}

void PageWalk::passed(const CopyRows &rows, std::size_t bytes, bool cut) {
    const bool full = rows.rows() >= rows_;
    after_ = cut || full ? rows.last() : Position{page_end(), end_of_time};

    // Towards pages that are full in rows or in bytes, and no statement that looks at far more.
    if (!full && !cut && rows.rows() < rows_ / 2)
        span_ = std::min(span_ * 4, largest_span);
    else if (full)
        span_ = std::max(span_ / 2, static_cast<std::int64_t>(rows_) * 4);
    if (rows.rows() == 0) return;
    const std::size_t row_size = std::max<std::size_t>(bytes / rows.rows(), 1);
    const std::size_t fitting = std::min(limits_.rows, limits_.bytes / row_size);
    rows_ =
        std::clamp(fitting, std::min(fewest_rows, limits_.rows), std::max(rows_ * 8, fewest_rows));
    span_ = std::max(span_, static_cast<std::int64_t>(rows_));
}

} // namespace pgat::outbox
