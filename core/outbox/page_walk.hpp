// A walk over async_triggers.events in (id, created_at) order, a page at a time, through COPY.
//
// Each page is a statement of its own, so no transaction is held open between them. It is a range of ids,
// so that its cost is bounded however few of its rows are wanted; its size follows the size of the rows.
// What is wanted is the caller's to say. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "outbox/copy_row.hpp"
#include "outbox/event.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

struct PageLimits {
    std::size_t rows = 20'000;
    std::size_t bytes =
        8 << 20; // of payloads and metadata; a page is cut after the row that exceeds it
};

class PageWalk {
  public:
    // Reads what stands behind `after`.
    PageWalk(Position after, PageLimits limits);

    // No page is read before it is known which id is the last.
    void end_at(EventId last) noexcept { end_ = last; }
    bool knows_its_end() const noexcept { return end_.has_value(); }
    bool done() const noexcept { return end_ && after_.id >= *end_; }

    // Adds the rows of the next page that meet `conditions` (SQL) and are wanted. After an Error the
    // chunk has the events it had before, and the next call, with a session that works, reads the same
    // page.
    void read(postgres::Connection &connection, std::string_view conditions, Chunk &chunk,
              const CopyRows::Wanted &wanted = {});

    // The SELECT of the next page, and what it is planned with; for EXPLAIN.
    std::string query(std::string_view conditions) const;
    static std::string_view settings() noexcept;

  private:
    EventId page_end() const noexcept;
    void passed(const CopyRows &rows, std::size_t bytes, bool cut);

    const PageLimits limits_;
    Position after_; // read up to here
    std::optional<EventId> end_;
    std::size_t rows_;  // the next page's limit
    std::int64_t span_; // the next page's range of ids
};

} // namespace pgat::outbox
