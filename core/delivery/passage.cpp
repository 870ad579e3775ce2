#include "delivery/passage.hpp"

#include <algorithm>

namespace pgat::delivery {

void Passage::pass(ChunkPointer chunk) {
    const std::lock_guard lock(mutex_);
    if (open_) {
        pass_events(*chunk, 0, 0);
        return;
    }
    const std::size_t count = chunk->events.size() + chunk->marks.size();
    const std::size_t bytes = chunk->bytes;
    queue_.push(std::move(chunk), count, bytes);
}

bool Passage::full() const {
    const std::lock_guard lock(mutex_);
    return !open_ && queue_.full();
}

// A transaction that is known by its events is remembered before its mark is read: a round that begins in
// between must not take it for one that never passed.
void Passage::pass_events(const outbox::Chunk &chunk, std::size_t first_event,
                          std::size_t first_mark) {
    events_ += chunk.events.size() - first_event;
    for (std::size_t mark = first_mark; mark < chunk.marks.size(); ++mark)
        pass_mark(chunk.marks[mark]);
    const std::size_t marked = first_mark < chunk.marks.size()
                                   ? std::max(first_event, chunk.marks.back().events_before)
                                   : first_event;
    if (marked < chunk.events.size()) remember(chunk.events.back().xid);
}

void Passage::remember(Xid xid) {
    if (xid == Xid() || xid == unfinished_) return;
    unfinished_ = xid;
    unseen_.push_back({xid, position_});
}

void Passage::pass_mark(const outbox::Mark &mark) {
    remember(mark.xid);
    unfinished_ = Xid();
    position_ = std::max(position_, mark.position);
}

void Passage::begin_at(Lsn position) {
    const std::lock_guard lock(mutex_);
    position_ = std::max(position_, position);
}

void Passage::open(Lsn position, const Batch &batch, Batcher &batcher) {
    const std::lock_guard lock(mutex_);
    open_ = true;
    events_ = batch.events.size();
    unseen_.clear();
    unfinished_ = Xid();
    position_ = position;
    std::size_t marked = 0;
    for (const auto &mark : batch.marks) {
        pass_mark(mark);
        marked = mark.events_before;
    }
    if (marked < batch.events.size()) remember(batch.events.back()->xid);
    if (const auto rest = batcher.take_rest())
        pass_events(*rest->chunk, rest->first_event, rest->first_mark);
    drain();
}

void Passage::open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    drain();
}

void Passage::drain() {
    while (const auto chunk = queue_.try_pop())
        pass_events(**chunk, 0, 0);
}

void Passage::close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
}

bool Passage::is_open() const {
    const std::lock_guard lock(mutex_);
    return open_;
}

void Passage::see(const outbox::Snapshot &seen) {
    const std::lock_guard lock(mutex_);
    if (!open_) return;
    std::erase_if(unseen_,
                  [&](const Transaction &transaction) { return seen.sees(transaction.xid); });
}

bool Passage::wants_capture() const {
    const std::lock_guard lock(mutex_);
    return open_ && !unseen_.empty();
}

Lsn Passage::confirmable() const {
    const std::lock_guard lock(mutex_);
    return unseen_.empty() ? position_ : unseen_.front().before;
}

Lsn Passage::position() const {
    const std::lock_guard lock(mutex_);
    return position_;
}

bool Passage::all_seen_by(const outbox::Snapshot &last) const {
    const std::lock_guard lock(mutex_);
    return std::all_of(unseen_.begin(), unseen_.end(),
                       [&](const Transaction &transaction) { return last.sees(transaction.xid); });
}

std::uint64_t Passage::events() const {
    const std::lock_guard lock(mutex_);
    return events_;
}

std::size_t Passage::remembered() const {
    const std::lock_guard lock(mutex_);
    return unseen_.size();
}

} // namespace pgat::delivery
