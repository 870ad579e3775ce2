// The way of the stream's transactions past the sink, while events are delivered from the table.
//
// The reader hands every chunk to this. Closed, it puts them into the queue. Open, it lets them go, for the
// table has their events, and remembers the transactions, so that the WAL can be released under two rules:
//  1. A position may be confirmed only when every transaction that passed up to it was visible in a capture
//     taken since: a commit can be read from the WAL before snapshots see it, and what is confirmed comes
//     from the table or not at all.
//  2. Streaming may be resumed only after a round whose own snapshot sees every transaction that passed since
//     the slot was taken.
// What one snapshot of a server sees, all later ones see: so a transaction that a capture saw need not be
// remembered for either rule, as long as the last round's capture is a later one. Hence the order at the end:
// close(), which also stops captures from being counted; the last round's capture; all_seen_by().
//
// Shared by the replication thread (pass), the housekeeping thread (see, confirmable) and the delivery thread
// (the rest). One lock, never held across I/O.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "delivery/batcher.hpp"
#include "outbox/snapshot.hpp"

namespace pgat::delivery {

class Passage {
  public:
    // Open, for every session begins with rounds from the table. `queue` outlives this.
    explicit Passage(ChunkQueue &queue) : queue_(queue) {}

    // [replication] A chunk of the stream, in its order.
    void pass(ChunkPointer chunk);
    // [replication] More would only pile up.
    bool full() const;

    // The stream begins here: nothing of it comes before.
    void begin_at(Lsn position);
    // From streaming: what is not delivered of the batch in hand, what the batcher holds and what the queue
    // holds pass as well. Up to `position` all is delivered, or is in the table for any capture to see.
    void open(Lsn position, const Batch &batch, Batcher &batcher);
    // Once more, from a last round: what the queue holds passes as well.
    void open();
    // The chunks that come from now on are for the sink. The batch filled from them begins behind position().
    void close();
    bool is_open() const;

    // [housekeeping] A capture was taken.
    void see(const outbox::Snapshot &seen);
    // A capture would allow to confirm more, or to remember less.
    bool wants_capture() const;
    // Up to here rule 1 allows to confirm. Never falls while open.
    Lsn confirmable() const;
    // All that passed comes before this.
    Lsn position() const;
    // Rule 2. Of a snapshot that was taken after close().
    bool all_seen_by(const outbox::Snapshot &last) const;

    // Events that passed since it was opened.
    std::uint64_t events() const;
    // Transactions remembered now.
    std::size_t remembered() const;

  private:
    struct Transaction {
        Xid xid;
        Lsn before; // everything up to here came before it in the stream
    };

    void pass_events(const outbox::Chunk &chunk, std::size_t first_event, std::size_t first_mark);
    void pass_mark(const outbox::Mark &mark);
    void remember(Xid xid);
    void drain();

    ChunkQueue &queue_;
    mutable std::mutex mutex_;
    bool open_ = true;
    Lsn position_;
    Xid unfinished_; // has events that passed, and no mark yet; 0: none
    std::vector<Transaction> unseen_;
    std::uint64_t events_ = 0;
};

} // namespace pgat::delivery
