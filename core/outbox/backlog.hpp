// What waits in async_triggers.events for a stream: for people, in an outage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "outbox/cursor.hpp"
#include "outbox/event.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

struct Backlog {
    std::optional<Position> first; // the lowest that is undelivered and visible now
    std::uint64_t events = 0;
};

// Counts the events that a cursor does not hold, in ranges of ids, a statement each. Counting takes as long as
// there are many; a range takes about a quarter of a second, and its caller can do other things in between.
class BacklogCount {
  public:
    // Up to the last event there is now. Throws Error.
    BacklogCount(postgres::Connection &connection, StreamId stream, const Cursor &cursor);

    // Throws Error.
    void count_range(postgres::Connection &connection);
    bool done() const noexcept { return from_ >= last_; }
    // Of the ranges so far.
    const Backlog &counted() const noexcept { return counted_; }

  private:
    const std::string conditions_;
    std::int64_t from_;
    const std::int64_t last_;
    Backlog counted_;
};

} // namespace pgat::outbox
