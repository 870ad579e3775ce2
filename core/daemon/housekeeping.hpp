// The housekeeping thread of a session: captures, storing the cursor, partitions, on one SQL session.
//
// It also watches that session while it is idle: a server that shuts down ends it first, and does not
// finish shutting down before the replication session has gone too.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "base/halt.hpp"
#include "base/wakeup.hpp"
#include "daemon/failure.hpp"
#include "daemon/handover.hpp"
#include "daemon/undelivered_watch.hpp"
#include "delivery/progress.hpp"
#include "outbox/capture.hpp"
#include "outbox/partitions.hpp"
#include "outbox/stream_row.hpp"
#include "postgres/connection.hpp"

namespace pgat::daemon {

class Housekeeping {
  public:
    // Captures go out through `captures`; a stored position is set in `confirmed`; `oldest` outlives this.
    Housekeeping(postgres::SessionOptions session, const outbox::Ownership &ours,
                 const outbox::PartitionPolicy &partitions, Mailbox<outbox::Capture> &captures,
                 ConfirmedPosition &confirmed, OldestUndelivered &oldest, Halt &halt,
                 FirstFailure &failure);
    // Halts the session and joins.
    ~Housekeeping();
    Housekeeping(const Housekeeping &) = delete;
    Housekeeping &operator=(const Housekeeping &) = delete;

    // [any thread] The newest is stored; an older one not stored yet is dropped.
    void store(delivery::CursorToStore cursor);
    // [any thread] Something was delivered that the snapshot does not see: take a capture, at most one a
    // second.
    void want_capture() noexcept;

  private:
    using Clock = std::chrono::steady_clock;

    void run();
    void take_care_of_partitions(postgres::Connection &sql);
    void wait(postgres::Connection &sql, Clock::time_point until);

    const postgres::SessionOptions session_;
    const outbox::Ownership ours_;
    const outbox::PartitionPolicy policy_;
    Mailbox<outbox::Capture> &captures_;
    ConfirmedPosition &confirmed_;
    Halt &halt_;
    FirstFailure &failure_;
    Wakeup bell_;
    Mailbox<delivery::CursorToStore> to_store_;
    std::atomic<bool> capture_wanted_{false};
    Clock::time_point next_capture_{};
    Clock::time_point next_partitions_{};
    UndeliveredWatch watch_;
    std::thread thread_;
};

} // namespace pgat::daemon
