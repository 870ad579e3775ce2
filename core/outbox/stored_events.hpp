// A range of the events that are stored for a stream, delivered or not: what a replay by command is about.
//
// What belongs to it is fixed by a snapshot when it is looked at first; what commits later is the stream's
// business alone. It is counted and read in steps, each a statement of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/identifiers.hpp"
#include "outbox/event.hpp"
#include "outbox/page_walk.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

// Both ends are part of it. Ids and times may be mixed.
struct EventRange {
    StreamId stream;
    std::optional<EventId> from_id;
    std::optional<EventId> to_id;
    std::optional<Timestamp> from_time; // by created_at
    std::optional<Timestamp> to_time;
    std::string subscription; // the key, which the payload has as tg_name; empty: all
};

class StoredEvents {
  public:
    // Fixes the range, and counts it.
    StoredEvents(postgres::Connection &connection, const EventRange &range);

    std::int64_t count() const noexcept { return count_; }
    // The first and the last; nothing if there are none.
    const std::optional<Position> &first() const noexcept { return first_; }
    const std::optional<Position> &last() const noexcept { return last_; }
    // The first event of the whole table.
    const std::optional<Position> &oldest() const noexcept { return oldest_; }

    // Adds the next page to `chunk`, in the order of ids; false at the end. A page may be empty.
    bool read_page(postgres::Connection &connection, Chunk &chunk);

  private:
    void find_bounds(postgres::Connection &connection, const EventRange &range);
    void count_in_steps(postgres::Connection &connection);

    std::string conditions_;
    // Ids beyond which there is nothing to find.
    std::int64_t lowest_ = 0;
    std::int64_t highest_ = -1;
    std::int64_t count_ = 0;
    std::optional<Position> first_;
    std::optional<Position> last_;
    std::optional<Position> oldest_;
    std::optional<PageWalk> walk_;
};

} // namespace pgat::outbox
