#include "delivery/progress.hpp"

#include <algorithm>

#include "observe/log.hpp"

namespace pgat::delivery {

namespace {

constexpr observe::Log log{"delivery"};

// Writing the row makes WAL of its own, which must not be a reason to write it again.
constexpr std::uint64_t worthwhile_wal = 1 << 20;
constexpr auto position_interval = std::chrono::seconds(10);
constexpr auto round_interval = std::chrono::seconds(1);

} // namespace

void Progress::note_ahead(const Batch &batch, const Settled &settled) {
    for (const auto index : settled.delivered) {
        const auto &event = *batch.events[index];
        if (!cursor_.deliver_ahead(event.xid, event.at.id))
            log.warn("an event ran too far ahead of others to be remembered: after a crash it is "
                     "delivered again",
                     {{"event", event.at.id}});
    }
}

void Progress::settle_streamed(const Batch &batch, const Settled &settled) {
    std::size_t complete = 0;
    for (const auto &mark : batch.marks) {
        if (mark.events_before > settled.prefix) break;
        if (mark.xid != Xid()) cursor_.commit(mark.xid);
        position_ = std::max(position_, mark.position);
        complete = mark.events_before;
    }
    // What is settled behind the last complete transaction belongs to one that goes on.
    if (settled.prefix > complete) {
        const auto &last = *batch.events[settled.prefix - 1];
        cursor_.deliver_part(last.xid, last.at.id);
    }
    note_ahead(batch, settled);
    apply_captures();
}

void Progress::settle_replayed(const Batch &batch, const Settled &settled) {
    if (settled.prefix > 0) cursor_.round_delivered(batch.events[settled.prefix - 1]->at);
    note_ahead(batch, settled);
}

void Progress::expect(outbox::Capture capture) {
    floors_.add(capture);
    captures_.push_back(std::move(capture));
    apply_captures();
}

void Progress::apply_captures() {
    while (!captures_.empty() && captures_.front().wal <= position_) {
        const auto &seen = captures_.front().snapshot;
        if (cursor_.advance(seen, floors_.floor_for(seen))) advanced_ = true;
        floors_.forget_below(cursor_.delivered().xmin());
        captures_.pop_front();
    }
}

std::optional<CursorToStore> Progress::worth_storing(Clock::time_point now) {
    const auto age = now - stored_at_;
    const bool moved =
        position_.bytes_since(stored_position_) >= worthwhile_wal && age >= position_interval;
    const bool replaying = cursor_.round().has_value() && age >= round_interval;
    if (!advanced_ && !moved && !replaying) return std::nullopt;
    advanced_ = false;
    stored_position_ = position_;
    stored_at_ = now;
    return CursorToStore{cursor_, position_};
}

} // namespace pgat::delivery
