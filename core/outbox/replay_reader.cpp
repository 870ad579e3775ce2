#include "outbox/replay_reader.hpp"

#include <algorithm>
#include <stdexcept>

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

ReplayReader::ReplayReader(StreamId stream, Cursor cursor, PageLimits limits)
    : stream_(stream), cursor_(std::move(cursor)), limits_(limits),
      rows_(std::clamp<std::size_t>(limits.rows, 1, first_rows)),
      span_(static_cast<std::int64_t>(rows_) * 4) {
    if (!cursor_.round()) throw std::logic_error("a replay needs an open round");
    after_ = {cursor_.floor(), end_of_time};
    if (const auto &delivered = cursor_.round()->delivered) after_ = std::max(after_, *delivered);
}

std::string_view ReplayReader::page_settings() noexcept {
    // The primary key gives the order, partition by partition; a planner that knows little of a new
    // partition would rather read and sort all of it. The rows of one page are worth no compilation
    // and no helpers.
    return "set local enable_seqscan = off; set local enable_bitmapscan = off; "
           "set local enable_sort = off; set local jit = off; "
           "set local max_parallel_workers_per_gather = 0; ";
}

EventId ReplayReader::page_end() const noexcept {
    // Without an end to the range, the page's first row would be looked for in each partition that
    // lies ahead, however many delivered rows it begins with, again for every page.
    const std::int64_t last = end_ ? end_->value() : after_.id.value();
    return EventId(last - after_.id.value() > span_ ? after_.id.value() + span_ : last);
}

std::string ReplayReader::page_query() const {
    std::string query =
        fmt::format("select xid, id, created_at, payload, metadata from async_triggers.events "
                    "where stream_id = {} and (id, created_at) > ({}, '{}') and id <= {} "
                    "and pg_visible_in_snapshot(xid, '{}')",
                    stream_, after_.id, time_text(after_.created_at), page_end(),
                    cursor_.round()->snapshot.text());
    if (!cursor_.delivered().empty())
        query +=
            fmt::format(" and not pg_visible_in_snapshot(xid, '{}')", cursor_.delivered().text());
    return query + fmt::format(" order by id, created_at limit {}", rows_);
}

bool ReplayReader::read_page(postgres::Connection &connection, Chunk &chunk) {
    if (!end_)
        end_ = EventId(
            connection.exec("select last_value from async_triggers.events_id_seq").integer(0, 0));
    if (done()) return false;

    const std::size_t events_before = chunk.events.size();
    const std::size_t bytes_before = chunk.bytes;
    std::size_t bytes_read = 0;
    CopyRows rows;
    bool to_its_end = false;
    try {
        to_its_end = connection.copy_out_while(
            fmt::format("{}copy ({}) to stdout (format binary)", page_settings(), page_query()),
            [&](std::string_view message) {
                rows.add(message, chunk, [this](const Event &event) {
                    return !cursor_.holds(event.xid, event.at);
                });
                bytes_read += message.size();
                return chunk.bytes - bytes_before < limits_.bytes;
            });
    } catch (...) {
        chunk.events.resize(events_before);
        chunk.bytes = bytes_before;
        throw;
    }
    passed_page(rows, bytes_read, !to_its_end && !rows.ended());
    return true;
}

void ReplayReader::passed_page(const CopyRows &rows, std::size_t bytes, bool cut) {
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
