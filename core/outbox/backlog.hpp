// What waits in async_triggers.events for a stream: for people, in an outage.
#pragma once

#include <cstdint>
#include <optional>

#include "outbox/cursor.hpp"
#include "outbox/event.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

struct Backlog {
    std::optional<Position> first; // the lowest that is undelivered and visible now
    std::uint64_t events = 0;
};

// Counts the events that `cursor` does not hold. Reads them in ranges of ids, a statement each: it takes as
// long as there are many, but holds no snapshot for long. Throws Error.
Backlog count_backlog(postgres::Connection &connection, StreamId stream, const Cursor &cursor);

} // namespace pgat::outbox
