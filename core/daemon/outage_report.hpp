// Tells people of an outage of the sink: in the stream's row, and in the log once a minute.
//
// The row is written when something is new, at most once a second, and every five seconds. How many events wait
// is counted before it, the less often the longer counting takes. No call takes much longer than the counting of one
// range of events: the WAL is released by the same thread. On the housekeeping thread.
#pragma once

#include <chrono>
#include <optional>

#include "delivery/outage.hpp"
#include "outbox/backlog.hpp"
#include "outbox/cursor.hpp"
#include "outbox/failover_state.hpp"
#include "outbox/stream_row.hpp"
#include "postgres/connection.hpp"

namespace pgat::daemon {

// What delivery knows. Events are delivered from the table, whether the sink is down or not any more.
struct OutageNews {
    std::optional<delivery::Outage> outage; // nothing: the sink takes events
    // Known to be undelivered, though perhaps no snapshot sees it yet.
    std::optional<outbox::Position> first;
    outbox::Cursor cursor;
};

class OutageReport {
  public:
    using Clock = std::chrono::steady_clock;

    explicit OutageReport(outbox::Ownership ours) : ours_(ours) {}

    void take(OutageNews news);
    // Streaming again: the row says so from now on.
    void end(postgres::Connection &sql);
    // Writes what is due, and counts on; what was written, if anything. Throws Error.
    std::optional<outbox::FailoverState> work(postgres::Connection &sql);
    // When work() has something to do, perhaps long ago; time_point::max(): nothing.
    Clock::time_point due() const noexcept { return counting_ ? Clock::time_point() : due_; }

  private:
    void count_on(postgres::Connection &sql);
    outbox::FailoverState state() const;
    void write_log(const outbox::FailoverState &state);

    const outbox::Ownership ours_;
    std::optional<OutageNews> news_;
    std::optional<outbox::BacklogCount> counting_;
    Clock::duration counting_took_{};
    outbox::Backlog backlog_; // as it was counted last
    std::string reason_;      // of the last outage heard of
    Timestamp since_;         // the first of them since streaming ended
    Clock::time_point due_ = Clock::time_point::max();
    Clock::time_point written_{};
    Clock::time_point next_count_{};
    Clock::time_point next_log_{};
};

} // namespace pgat::daemon
