// A row of async_triggers.events as it travels to the sink, and the chunks it travels in.
//
// Payload and metadata are copied once, into the chunk's arena; from there on everybody points at them. A
// chunk is filled by one thread, then handed on and only read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/identifiers.hpp"
#include "base/lsn.hpp"

namespace pgat::outbox {

// The order of a replay, and the key of the table.
struct Position {
    EventId id;
    Timestamp created_at;
    auto operator<=>(const Position &) const = default;
};

struct Event {
    Xid xid;
    Position at;
    Lsn commit_lsn; // invalid when read from the table
    std::string_view payload;
    std::string_view metadata; // empty: none
};

// What the stream says between events: the transaction that the events before it belong to is complete,
// or the server has read the WAL up to here and found nothing more.
struct Mark {
    std::size_t events_before; // in this chunk
    Lsn position;              // safe to confirm once everything before it is delivered
    Xid xid;                   // the completed transaction; 0: mere progress, or it had no event
};

// Bytes with a fixed address: blocks, never moved. Not thread-safe.
class Arena {
  public:
    // A copy of `text` that lives as long as the arena.
    std::string_view copy(std::string_view text);
    // `size` bytes to be written; they live as long as the arena.
    char *reserve(std::size_t size);

  private:
    static constexpr std::size_t block_size = 65536;
    std::vector<std::unique_ptr<char[]>> blocks_;
    char *free_ = nullptr;
    std::size_t left_ = 0;
};

struct Chunk {
    Arena arena;
    std::vector<Event> events;
    std::vector<Mark> marks; // ascending by events_before and by position
    std::size_t bytes = 0;   // of payloads and metadata

    bool empty() const noexcept { return events.empty() && marks.empty(); }
};

} // namespace pgat::outbox
