// What goes to the sink in one piece: events in their order, and what their delivery settles.
//
// Events are seen by pointer; the batch keeps the chunks that hold them alive. Filled and used on the
// delivery thread, and reused from batch to batch so that it allocates nothing in the long run.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "outbox/event.hpp"

namespace pgat::delivery {

using ChunkPointer = std::shared_ptr<const outbox::Chunk>;

struct Batch {
    std::vector<const outbox::Event *> events;
    // Marks whose events_before counts this batch's events: once those are settled, the transaction is
    // delivered and the position reached.
    std::vector<outbox::Mark> marks;
    std::vector<ChunkPointer> chunks;
    std::size_t bytes = 0;

    bool empty() const noexcept { return events.empty() && marks.empty(); }
    void clear() noexcept {
        events.clear();
        marks.clear();
        chunks.clear();
        bytes = 0;
    }
};

} // namespace pgat::delivery
