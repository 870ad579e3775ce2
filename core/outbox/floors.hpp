// Remembers of each capture what gives a floor: for a snapshot S, an id such that every event of a
// transaction that S does not see has a larger one.
//
// Why it holds: such a transaction's xid is S.xmin or above, so above the `before` of a capture
// with before < S.xmin; it took that xid after the capture had read `seq`, and takes its ids later
// still (the column xid stands before id). S.xmax would not do: transactions may be open beyond it.
#pragma once

#include <cstddef>
#include <vector>

#include "base/identifiers.hpp"
#include "outbox/capture.hpp"
#include "outbox/snapshot.hpp"

namespace pgat::outbox {

class Floors {
  public:
    // Captures in the order in which they were taken. clear() when the server has changed or crashed:
    // xids and ids of a capture that was not flushed yet may then be handed out again.
    void add(const Capture &capture) { add(capture.before, capture.seq); }
    void add(Xid before, EventId seq);

    // The best floor known for `snapshot`; 0 if none is. Floors only rise, so a caller that has
    // a larger one for an older snapshot keeps that (Cursor does).
    EventId floor_for(const Snapshot &snapshot) const noexcept;

    // Snapshots asked for from now on have at least this xmin.
    void forget_below(Xid xmin);
    void clear() noexcept { *this = {}; }
    std::size_t size() const noexcept { return entries_.size(); }

    // While one transaction stays open for long, nothing can be forgotten for good: of more than this
    // many, every second one goes and new ones are kept as sparsely, so that a floor may be a little
    // lower than it could be.
    static constexpr std::size_t most = 1024;

  private:
    struct Entry {
        Xid before;
        EventId seq;
    };
    std::vector<Entry> entries_; // ascending by both
    std::size_t stride_ = 1;     // of so many captures one is kept
    std::size_t since_kept_ = 0; // captures that the last entry stands for
};

} // namespace pgat::outbox
