// Rounds: delivering from the table what a snapshot sees and the cursor does not hold.
//
// Every start goes through at least one, so there is no second way in to keep right. A round that a stop or
// a crash cut short is in the cursor, and goes on where it was. On the delivery thread.
#pragma once

#include <functional>
#include <string>

#include "base/halt.hpp"
#include "delivery/batcher.hpp"
#include "delivery/dispatcher.hpp"
#include "delivery/progress.hpp"
#include "outbox/replay_reader.hpp"
#include "postgres/connection.hpp"

namespace pgat::delivery {

// Delivers one batch and remembers how far it got; false: not all of it, for the sink is down or the daemon
// halts. Throws Error.
using DeliverReplayed = std::function<bool(const Batch &)>;
// Opens one more session with the server, which the halt interrupts.
using OpenSession = std::function<postgres::Connection()>;

class Recovery {
  public:
    Recovery(StreamId stream, const BatchLimits &limits, Progress &progress, const Halt &halt,
             OpenSession open_session, DeliverReplayed deliver);

    // Finishes a round that was begun before, if any. False: it stays open, for `deliver` gave up.
    bool finish_open_round(postgres::Connection &sql);
    // One round up to `capture`, whose WAL is flushed. False: it stays open.
    bool run_round(postgres::Connection &sql, const outbox::Capture &capture);

    // Events delivered by rounds so far.
    std::uint64_t replayed() const noexcept { return replayed_; }

  private:
    bool replay(postgres::Connection &sql);
    bool deliver_page(outbox::Chunk page);

    const StreamId stream_;
    const BatchLimits limits_;
    Progress &progress_;
    const Halt &halt_;
    const OpenSession open_session_;
    const DeliverReplayed deliver_;
    Batch batch_;
    std::uint64_t replayed_ = 0;
};

} // namespace pgat::delivery
