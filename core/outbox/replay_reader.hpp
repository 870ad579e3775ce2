// Reads what a replay has to deliver from async_triggers.events, page by page in (id, created_at)
// order: the events of one stream that the round's snapshot sees and the cursor does not hold.
//
// No transaction is held open between the pages: rows that R sees stay visible to every later statement.
//
// Knows nothing of delivery: it works from a copy of the cursor as the round began (or went on), which
// holds all that need not be read again. So pages may be read ahead, by another thread on its own
// connection. One thread at a time.
#pragma once

#include <string>
#include <string_view>

#include "outbox/cursor.hpp"
#include "outbox/event.hpp"
#include "outbox/page_walk.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

class ReplayReader {
  public:
    // `cursor` has an open round.
    ReplayReader(StreamId stream, Cursor cursor, PageLimits limits);

    // Adds the next page to `chunk`; false if the round is read to its end. A page may be empty, when
    // none of its range is wanted. After an Error the chunk has the events it had before, and the next
    // call, with a session that works, reads the same page.
    bool read_page(postgres::Connection &connection, Chunk &chunk);

    bool done() const noexcept { return walk_.done(); }

    // The SELECT of the next page, and what it is planned with; for EXPLAIN.
    std::string page_query() const { return walk_.query(conditions_); }
    static std::string_view page_settings() noexcept { return PageWalk::settings(); }

  private:
    const Cursor cursor_;
    const std::string conditions_;
    PageWalk walk_; // to the last id that R can see; not known before the first page
};

} // namespace pgat::outbox
