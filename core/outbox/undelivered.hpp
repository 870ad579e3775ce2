// Which events the rows of async_triggers.streams do not hold, asked of the server: for what concerns every
// stream of the database, also those whose daemon is another one, or does not run.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "base/identifiers.hpp"
#include "outbox/event.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

// SQL for "row s of async_triggers.streams does not hold event e", beside e.stream_id = s.id. What is at or
// below the floor is held: so the primary key answers for all events but those of a stream far behind.
std::string_view undelivered_condition() noexcept;

struct Undelivered {
    StreamId stream;
    Position first; // in id order, of those that are old enough
};

// Every stream with events that were written longer than `age` ago and are not delivered, by its id.
std::vector<Undelivered> undelivered_longer_than(postgres::Connection &connection,
                                                 std::chrono::hours age);

} // namespace pgat::outbox
