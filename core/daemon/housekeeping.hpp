// The housekeeping thread of a session: captures, storing the cursor, releasing the WAL past an outage and telling of
// it, partitions, looking around for those who watch, on one SQL session.
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
#include "daemon/outage_report.hpp"
#include "daemon/situation.hpp"
#include "daemon/survey.hpp"
#include "daemon/undelivered_watch.hpp"
#include "delivery/passage.hpp"
#include "delivery/progress.hpp"
#include "outbox/capture.hpp"
#include "outbox/partitions.hpp"
#include "outbox/stream_row.hpp"
#include "postgres/connection.hpp"

namespace pgat::daemon {

struct HousekeepingPlan {
    postgres::SessionOptions sql;
    outbox::Ownership ours;
    Lsn stored; // the position that the row has now
    outbox::PartitionPolicy partitions;
    OldestUndelivered *oldest = nullptr;
    outbox::ReportRequest report;
};

class Housekeeping {
  public:
    // Captures go to the passage while it is open, else out through `captures`; a stored position is set in
    // `confirmed`. All that it is given outlives this.
    Housekeeping(HousekeepingPlan plan, Mailbox<outbox::Capture> &captures,
                 delivery::Passage &passage, ConfirmedPosition &confirmed, Situation &situation,
                 Halt &halt, FirstFailure &failure);
    // Halts the session and joins.
    ~Housekeeping();
    Housekeeping(const Housekeeping &) = delete;
    Housekeeping &operator=(const Housekeeping &) = delete;

    // [any thread] The newest is stored; an older one not stored yet is dropped.
    void store(delivery::CursorToStore cursor);
    // [any thread] Something was delivered that the snapshot does not see: take a capture, at most one a
    // second.
    void want_capture() noexcept;
    // [any thread] Events are delivered from the table; nothing: by the stream again. The newest counts.
    void tell(std::optional<OutageNews> news);

  private:
    using Clock = std::chrono::steady_clock;

    void run();
    void take_care_of_cursor(postgres::Connection &sql);
    void take_care_of_passage(postgres::Connection &sql);
    void release_wal(postgres::Connection &sql);
    void take_care_of_partitions(postgres::Connection &sql);
    void wait(postgres::Connection &sql, Clock::time_point until);

    const HousekeepingPlan plan_;
    Mailbox<outbox::Capture> &captures_;
    delivery::Passage &passage_;
    ConfirmedPosition &confirmed_;
    Situation &situation_;
    Halt &halt_;
    FirstFailure &failure_;
    Wakeup bell_;
    Mailbox<delivery::CursorToStore> to_store_;
    Mailbox<std::optional<OutageNews>> news_;
    OutageReport report_;
    std::atomic<bool> capture_wanted_{false};
    Clock::time_point next_capture_{};
    Lsn stored_; // the position that the row has
    Clock::time_point stored_at_{};
    std::uint64_t stored_events_ = 0; // that had passed when nothing was left to be seen
    Clock::time_point next_partitions_{};
    UndeliveredWatch watch_;
    Surveyor surveyor_;
    std::thread thread_;
};

} // namespace pgat::daemon
