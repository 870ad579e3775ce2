// Events of streams that have no row in async_triggers.streams. An application may write events for a stream
// whose daemon comes weeks later; until then no row says that they are to be delivered, and they are.
#pragma once

#include <optional>
#include <string>

#include "base/identifiers.hpp"
#include "outbox/event.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

struct Unclaimed {
    std::string streams; // "7, 12": those of the first place where there are some
    Timestamp since;     // the first of them there
};

// Reads the whole partition where it has none, in steps. Sees what was committed before the call.
std::optional<Unclaimed> unclaimed_in(postgres::Connection &connection,
                                      const std::string &partition);

// Whether there are any with an id above `id`: the primary key answers.
bool unclaimed_above(postgres::Connection &connection, const std::string &partition, EventId id);

// Deletes all events of a stream, delivered or not, in steps, each a transaction of its own.
void delete_events(postgres::Connection &connection, StreamId stream);

} // namespace pgat::outbox
