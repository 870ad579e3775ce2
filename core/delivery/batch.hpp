// What goes to the sink in one piece: events in their order, and what their delivery settles.
//
// Events are seen by pointer; the batch keeps the chunks that hold them alive. In front may stand events that
// earlier calls left unsettled: a batch is then a window on the stream that moves on over them. Filled and
// used on the delivery thread, and reused from batch to batch so that it allocates nothing in the long run.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "outbox/event.hpp"

namespace pgat::delivery {

using ChunkPointer = std::shared_ptr<const outbox::Chunk>;

struct Settled;

// An event that stays in hand, in memory of its own: it must not keep a whole chunk alive.
struct HeldEvent {
    explicit HeldEvent(const outbox::Event &from);
    std::size_t bytes() const noexcept { return event.payload.size() + event.metadata.size(); }

    outbox::Event event;
    std::unique_ptr<char[]> text;
    std::optional<std::string> key; // once it has been looked for
};

struct Batch {
    std::vector<const outbox::Event *> events;
    // Marks whose events_before counts this batch's events: once those are settled, the transaction is
    // delivered and the position reached.
    std::vector<outbox::Mark> marks;
    std::vector<ChunkPointer> chunks;
    std::size_t bytes = 0; // of the events that came last

    // The first of `events`, and the first marks: left over from before.
    std::vector<std::unique_ptr<HeldEvent>> held;
    std::size_t held_marks = 0;
    std::size_t held_bytes = 0;

    bool empty() const noexcept { return events.empty() && marks.empty(); }
    // Events, and anything, that came since the last keep_unsettled().
    std::size_t fresh_events() const noexcept { return events.size() - held.size(); }
    bool fresh() const noexcept { return events.size() > held.size() || marks.size() > held_marks; }
    void clear() noexcept {
        events.clear();
        marks.clear();
        chunks.clear();
        bytes = 0;
        held.clear();
        held_marks = 0;
        held_bytes = 0;
    }
    // What is settled goes, and the chunks; what is not is held in front of what comes next. Marks of
    // transactions that are settled whole lose their xid, and are kept only where a position depends on it:
    // there are never more marks than events left.
    void keep_unsettled(const Settled &settled);
};

} // namespace pgat::delivery
