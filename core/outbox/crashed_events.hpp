// Events at which the sink's plugin crashed the daemon, and how often: table async_triggers.crashed_events.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "outbox/cursor.hpp"
#include "outbox/event.hpp"
#include "outbox/stream_row.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

struct CrashedEvent {
    Position at;
    std::uint32_t crashes = 1;
    EventId through; // the highest id of the call
    std::string reason;
    bool settled = false; // delivered, or a dead letter
};

// Is this event still to be delivered? False too where it is in the table no more.
bool is_undelivered(postgres::Connection &connection, const Cursor &cursor, const Position &at);

// Counts one more crash at the event, once for each `crash`, and only while the stream is ours.
void count_crash(postgres::Connection &connection, const Ownership &ours, const CrashedEvent &event,
                 const std::string &crash);

// All of the stream, by id.
std::vector<CrashedEvent> load_crashed_events(postgres::Connection &connection, StreamId stream,
                                              const Cursor &cursor);

void forget_crashed_events(postgres::Connection &connection, StreamId stream,
                           std::span<const Position> events);

} // namespace pgat::outbox
