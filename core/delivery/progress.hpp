// What the delivery of batches does to the cursor, and when the cursor is worth storing.
//
// The position is that of the last mark whose events are all settled: all that committed before it is
// delivered, or was before. A capture waits here until the position has passed its `wal`; then its snapshot
// becomes the cursor's. On the delivery thread.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

#include "delivery/batch.hpp"
#include "delivery/dispatcher.hpp"
#include "outbox/capture.hpp"
#include "outbox/cursor.hpp"
#include "outbox/floors.hpp"

namespace pgat::delivery {

// To be stored together, in one write of the stream's row; then the position may be confirmed.
struct CursorToStore {
    outbox::Cursor cursor;
    Lsn position;
};

class Progress {
  public:
    using Clock = std::chrono::steady_clock;

    // The cursor outlives this, and is nobody else's meanwhile.
    Progress(outbox::Cursor &cursor, Lsn position) : cursor_(cursor), position_(position) {}

    outbox::Cursor &cursor() noexcept { return cursor_; }
    Lsn position() const noexcept { return position_; }
    // The stream begins here.
    void start_at(Lsn position) noexcept { position_ = position; }

    bool held(const outbox::Event &event) const noexcept {
        return cursor_.holds(event.xid, event.at);
    }

    // A batch of the stream went so far.
    void settle_streamed(const Batch &batch, const Settled &settled);
    // A batch of the open round did.
    void settle_replayed(const Batch &batch, const Settled &settled);

    // A capture of a round: for floors only.
    void remember(const outbox::Capture &capture) { floors_.add(capture); }
    EventId floor_for(const outbox::Snapshot &snapshot) const noexcept {
        return floors_.floor_for(snapshot);
    }
    // A capture that S is to become once delivery has passed it.
    void expect(outbox::Capture capture);

    // Delivered transactions that S does not see: a capture would move it forward.
    bool wants_capture() const noexcept {
        return !cursor_.extras().empty() || !cursor_.parts().empty() || !cursor_.ahead().empty();
    }

    // The cursor, if now is a good time to store it: S has just moved (extras are few then), a round has
    // gone on for a second, or an idle stream has passed much WAL.
    std::optional<CursorToStore> worth_storing(Clock::time_point now);

  private:
    void note_ahead(const Batch &batch, const Settled &settled);
    void apply_captures();

    outbox::Cursor &cursor_;
    Lsn position_;
    outbox::Floors floors_;
    std::deque<outbox::Capture> captures_;
    bool advanced_ = false;
    Lsn stored_position_;
    Clock::time_point stored_at_ = Clock::now();
};

} // namespace pgat::delivery
