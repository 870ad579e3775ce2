#include "delivery/batcher.hpp"

#include <algorithm>

namespace pgat::delivery {

void Batcher::take_from_chunk(Batch &batch) {
    const auto &chunk = *chunk_;
    const std::size_t before = batch.events.size();
    bool room = true;
    while (room) {
        while (next_mark_ < chunk.marks.size() &&
               chunk.marks[next_mark_].events_before <= next_event_) {
            const auto &mark = chunk.marks[next_mark_++];
            const outbox::Mark settled{batch.events.size(), mark.position, mark.xid};
            // Of mere progress only the last position counts.
            const bool replaces = settled.xid == Xid() && batch.marks.size() > batch.held_marks &&
                                  batch.marks.back().xid == Xid() &&
                                  batch.marks.back().events_before == settled.events_before;
            if (replaces)
                batch.marks.back() = settled;
            else
                batch.marks.push_back(settled);
        }
        if (next_event_ == chunk.events.size()) break;
        const auto &event = chunk.events[next_event_];
        if (held_(event)) {
            ++next_event_;
            continue;
        }
        const std::size_t bytes = event.payload.size() + event.metadata.size();
        room =
            !full(batch) && (batch.fresh_events() == 0 || batch.bytes + bytes <= limits_.max_bytes);
        if (!room) break;
        if (batch.fresh_events() == 0) opened_ = Clock::now();
        batch.events.push_back(&event);
        batch.bytes += bytes;
        ++next_event_;
    }
    if (batch.events.size() > before) batch.chunks.push_back(chunk_);
    if (room) chunk_.reset();
}

std::optional<Batcher::Rest> Batcher::take_rest() {
    if (!chunk_) return std::nullopt;
    return Rest{std::exchange(chunk_, nullptr), next_event_, next_mark_};
}

bool Batcher::fill(Batch &batch, Clock::time_point until) {
    for (;;) {
        if (!chunk_) {
            auto next = queue_.try_pop();
            if (!next) {
                const bool enough = batch.fresh_events() >= limits_.min_size ||
                                    (batch.fresh_events() == 0 && batch.fresh());
                const auto latest = batch.fresh_events() == 0 ? Clock::time_point::max()
                                                              : opened_ + limits_.max_fill;
                if (enough || Clock::now() >= latest) return batch.fresh();
                next = queue_.pop_until(std::min(until, latest));
                if (!next) {
                    if (queue_.closed()) return batch.fresh();
                    if (Clock::now() >= latest) continue;
                    return false;
                }
            }
            chunk_ = std::move(*next);
            next_event_ = 0;
            next_mark_ = 0;
        }
        take_from_chunk(batch);
        if (chunk_ || full(batch)) return true;
    }
}

} // namespace pgat::delivery
