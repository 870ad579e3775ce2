// What a stream has delivered: a set of events, written as a Postgres snapshot and a few additions.
// A value without I/O; the row of async_triggers.streams is its durable form (stream_row.hpp).
//
// An event is delivered when one of these holds it:
//     S        its transaction is visible in this snapshot
//     extras   its transaction was delivered whole, and S does not see it yet
//     round    a replay runs: R sees its transaction, and it stands at k or before, k = (id, created_at)
//     part     single events outside these: of a transaction that is half delivered every event up to
//              an id, and `ahead`, events whose keys ran ahead of others
// and only then; all other events are still to be delivered. `floor` is no such part: it only says
// where looking for undelivered events may begin.
//
// Invariants, which every operation keeps:
//  1. A held event stays held. S is only ever replaced by a snapshot that covers it, k only rises.
//  2. S sees no transaction of extras, of part, or of ahead (as far as its xid is known).
//  3. Every event with an id at or below the floor is of a transaction that S sees. So the floor belongs
//     to S, is given with it, never falls, and nothing in ahead is at or below it.
//  4. R covers S, from begin_round() to end_round(); outside a round there is neither R nor k.
//  5. What is in memory is held too by a copy stored later: storing an older copy costs duplicates
//     after a crash, never an event.
//  6. ahead has at most `most_ahead` events; all else is bounded by how much was delivered since S was
//     taken. Copied right after advance(), extras are few: that is the moment to store it.
//
// Not thread-safe; copy it to hand it over.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/identifiers.hpp"
#include "outbox/event.hpp"
#include "outbox/snapshot.hpp"
#include "outbox/xid_set.hpp"

namespace pgat::outbox {

class Cursor {
  public:
    struct Round {
        Snapshot snapshot;                 // R
        std::optional<Position> delivered; // k; nothing yet without it
    };
    struct Part {
        Xid xid;
        EventId through;
    };
    struct Ahead {
        EventId id;
        Xid xid; // 0: not known, as it was read from the row
    };

    // More than this and the sink is so far out of order that failover is the better answer.
    static constexpr std::size_t most_ahead = 10'000;

    // Nothing is delivered.
    Cursor() = default;
    // What a row says.
    Cursor(Snapshot delivered, const std::vector<Xid> &extras, EventId floor,
           std::optional<Round> round, std::vector<Part> parts, std::vector<Ahead> ahead);

    // Is this event delivered?
    bool holds(Xid xid, const Position &at) const noexcept {
        if (holds_all_of(xid)) return true;
        if (round_ && round_->delivered && at <= *round_->delivered && round_->snapshot.sees(xid))
            return true;
        return (!parts_.empty() || !ahead_.empty()) && holds_part(xid, at.id);
    }
    // Is the whole transaction delivered? Once for each transaction of the stream. Does not ask the
    // round, which may hold all of its events as well.
    bool holds_all_of(Xid xid) const noexcept {
        return delivered_.sees(xid) || extras_.contains(xid);
    }

    // Of this transaction every event up to `through` is delivered: ids ascend within a transaction,
    // in the stream too (one sequence with cache 1, and rows are inserted one by one, even by COPY,
    // because created_at has a volatile default).
    void deliver_part(Xid xid, EventId through);
    // One event is delivered, though earlier ones of the stream are not. False, and not remembered,
    // if there are too many: the caller goes to failover (or must expect it again after a crash).
    [[nodiscard]] bool deliver_ahead(Xid xid, EventId id);
    // The whole transaction is delivered. Its part and ahead are then needed no more.
    void commit(Xid xid);

    // Delivery has passed a capture's `wal`: all that its snapshot sees is delivered. False if S is
    // newer already, and nothing changed. Throws Error (recover) for a snapshot that is neither newer
    // nor older: it is not of this server's history.
    bool advance(const Snapshot &seen, EventId floor);

    // A replay of all that `snapshot` sees and this cursor does not hold. Not while one is open; a
    // cursor that was loaded with one goes on with it.
    void begin_round(Snapshot snapshot);
    const std::optional<Round> &round() const noexcept { return round_; }
    // Where the open round's reading goes on: events with ids above this. Never below the floor.
    EventId round_from() const noexcept;
    // Every event that R sees, up to this position, is delivered (by the round or before it).
    void round_delivered(const Position &upto);
    // Every event that R sees is delivered: S := R.
    void end_round(EventId floor);

    const Snapshot &delivered() const noexcept { return delivered_; }
    const XidSet &extras() const noexcept { return extras_; }
    EventId floor() const noexcept { return floor_; }
    const std::vector<Part> &parts() const noexcept { return parts_; }
    const std::vector<Ahead> &ahead() const noexcept { return ahead_; }

  private:
    bool holds_part(Xid xid, EventId id) const noexcept;
    void replace(const Snapshot &snapshot, EventId floor);

    Snapshot delivered_; // S
    XidSet extras_;
    EventId floor_{};
    std::optional<Round> round_;
    std::vector<Part> parts_;  // hardly ever more than one
    std::vector<Ahead> ahead_; // ascending by id
};

} // namespace pgat::outbox
