// Cuts the flow of chunks into batches.
//
// A batch is closed when it is full (max_size events or max_bytes), when it has min_size events and nothing
// more is waiting (whoever asks has a free sink, so an event of a quiet stream leaves at once), or when its
// first event has waited max_fill. Events that the cursor holds already are left out on the way. All this is
// about what comes behind the events that the batch still holds from before.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "base/weighted_queue.hpp"
#include "delivery/batch.hpp"

namespace pgat::delivery {

using ChunkQueue = WeightedQueue<ChunkPointer>;

struct BatchLimits {
    std::size_t max_size;
    std::size_t max_bytes; // one event larger than this makes a batch of its own
    std::size_t min_size;
    std::chrono::milliseconds max_fill;
};

class Batcher {
  public:
    using Clock = std::chrono::steady_clock;
    // Is this event delivered already?
    using Held = std::function<bool(const outbox::Event &)>;

    Batcher(const BatchLimits &limits, ChunkQueue &queue, Held held)
        : limits_(limits), queue_(queue), held_(std::move(held)) {}

    // Fills `batch` until it is closed; false: `until` came, or somebody nudged the queue, and the batch is
    // still open (call again with the same one) or empty. After the queue is closed what is left of it still
    // comes; at its end the answer is false and exhausted().
    bool fill(Batch &batch, Clock::time_point until);
    bool exhausted() const { return !chunk_ && queue_.closed() && queue_.held().count == 0; }

    // What a chunk has that no batch got yet, from this event and this mark on.
    struct Rest {
        ChunkPointer chunk;
        std::size_t first_event;
        std::size_t first_mark;
    };
    // The rest of the chunk that is being read, which is then read no further; nothing: none is.
    std::optional<Rest> take_rest();

  private:
    bool full(const Batch &batch) const noexcept {
        // Marks count too: a stream of transactions that are all held already makes no events.
        return batch.fresh_events() >= limits_.max_size || batch.bytes >= limits_.max_bytes ||
               batch.marks.size() >= 4 * limits_.max_size;
    }
    void take_from_chunk(Batch &batch);

    const BatchLimits limits_;
    ChunkQueue &queue_;
    const Held held_;
    // The chunk being read and how far.
    ChunkPointer chunk_;
    std::size_t next_event_ = 0;
    std::size_t next_mark_ = 0;
    Clock::time_point opened_{};
};

} // namespace pgat::delivery
