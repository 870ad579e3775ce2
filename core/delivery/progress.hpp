// What the delivery of batches does to the cursor, and when the cursor is worth storing.
//
// A capture waits here until delivery has passed its `wal`; then its snapshot becomes the cursor's. Without
// held keys, passed means delivered: the position is that of the last mark whose events are all settled.
//
// A transaction with a held event is incomplete while later ones are delivered. It does not stop the cursor:
//  1. A later transaction is in the cursor's extras as soon as all of its own events are settled; of an
//     incomplete one the settled events are in part or ahead.
//  2. A capture becomes the cursor's without the incomplete transactions, as if they were still running.
//  3. The position passes one that an applied capture saw, for a round would find it in the table after a
//     crash; before one that no capture saw yet it stands still.
// So neither extras nor WAL pile up behind a held event. On the delivery thread.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <vector>

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
    Progress(outbox::Cursor &cursor, Lsn position)
        : cursor_(cursor), position_(position), passed_(position) {}

    outbox::Cursor &cursor() noexcept { return cursor_; }
    Lsn position() const noexcept { return position_; }
    // The stream goes on here, behind a round that has delivered all before.
    void start_at(Lsn position) noexcept;

    bool held(const outbox::Event &event) const noexcept {
        return cursor_.holds(event.xid, event.at);
    }

    // A batch of the stream went so far. What stays of it is in front of the next one.
    void settle_streamed(const Batch &batch, const Settled &settled);
    // More events were delivered ahead of others than the cursor can hold: held keys must not run on.
    bool too_far_ahead() const noexcept { return too_far_ahead_; }
    // A batch of the open round did.
    void settle_replayed(const Batch &batch, const Settled &settled);

    // A capture of a round: for floors only.
    void remember(const outbox::Capture &capture) { floors_.add(capture); }
    EventId floor_for(const outbox::Snapshot &snapshot) const noexcept {
        return floors_.floor_for(snapshot);
    }
    // A capture that S is to become once delivery has passed it.
    void expect(outbox::Capture capture);

    // A capture would move S forward, over delivered transactions, or the position.
    bool wants_capture() const noexcept {
        return !incomplete_.empty() || !cursor_.extras().empty() || !cursor_.parts().empty() ||
               !cursor_.ahead().empty();
    }

    // The cursor, if now is a good time to store it: S has just moved (extras are few then), a round has
    // gone on for a second, an idle stream has passed much WAL, or S stands still for seconds because a slow
    // sink keeps delivery from the next capture.
    std::optional<CursorToStore> worth_storing(Clock::time_point now);

  private:
    // Of the stream, with events that wait; in its order.
    struct Incomplete {
        Xid xid;
        Lsn before; // all that committed up to here is delivered, or stands before it in the list
    };

    void settle_beyond(const Batch &batch, const Settled &settled, std::size_t mark,
                       std::size_t first);
    // The events [first, last) of one transaction: true if all are settled.
    bool settle_transaction(const Batch &batch, const Settled &settled, std::size_t first,
                            std::size_t last);
    void note_ahead(const outbox::Event &event);
    void apply_captures();
    Lsn confirmable() const noexcept;

    outbox::Cursor &cursor_;
    Lsn position_;
    Lsn passed_; // up to here all is delivered or incomplete_
    std::vector<Incomplete> incomplete_;
    outbox::Snapshot
        in_table_; // the newest applied capture's: what it sees can be read from the table
    bool too_far_ahead_ = false;
    outbox::Floors floors_;
    std::deque<outbox::Capture> captures_;
    bool advanced_ = false;
    bool delivered_since_ = false; // since the cursor was stored
    Lsn stored_position_;
    Clock::time_point stored_at_ = Clock::now();
};

} // namespace pgat::delivery
