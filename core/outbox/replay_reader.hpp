// Reads what a replay has to deliver from async_triggers.events, page by page in (id, created_at)
// order: the events of one stream that the round's snapshot sees and the cursor does not hold.
//
// Each page is a statement of its own, so no transaction is held open between them: rows that R sees
// stay visible to every later statement. A page is a range of ids, so that its cost is bounded however
// few of its rows are wanted.
//
// Knows nothing of delivery: it works from a copy of the cursor as the round began (or went on), which
// holds all that need not be read again. So pages may be read ahead, by another thread on its own
// connection. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "outbox/copy_row.hpp"
#include "outbox/cursor.hpp"
#include "outbox/event.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

struct PageLimits {
    std::size_t rows = 20'000;
    std::size_t bytes =
        8 << 20; // of payloads and metadata; a page is cut after the row that exceeds it
};

class ReplayReader {
  public:
    // `cursor` has an open round.
    ReplayReader(StreamId stream, Cursor cursor, PageLimits limits);

    // Adds the next page to `chunk`; false if the round is read to its end. A page may be empty, when
    // none of its range is wanted. After an Error the chunk has the events it had before, and the next
    // call, with a session that works, reads the same page.
    bool read_page(postgres::Connection &connection, Chunk &chunk);

    bool done() const noexcept { return end_ && after_.id >= *end_; }

    // The SELECT of the next page, and what it is planned with; for EXPLAIN.
    std::string page_query() const;
    static std::string_view page_settings() noexcept;

  private:
    EventId page_end() const noexcept;
    void passed_page(const CopyRows &rows, std::size_t bytes, bool cut);

    const StreamId stream_;
    const Cursor cursor_;
    const PageLimits limits_;
    Position after_;             // read up to here
    std::optional<EventId> end_; // the last id that R can see; not known before the first page
    std::size_t rows_;           // the next page's limit
    std::int64_t span_;          // the next page's range of ids
};

} // namespace pgat::outbox
