// Tells people of an outage of the sink: in the stream's row, and in the log once a minute.
//
// The row is written when something is new, at most once a second, and every five seconds. How many events wait
// is counted with it, the less often the longer counting takes. On the housekeeping thread.
#pragma once

#include <chrono>
#include <optional>

#include "delivery/outage.hpp"
#include "outbox/backlog.hpp"
#include "outbox/cursor.hpp"
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
    // Writes what is due. Throws Error.
    void work(postgres::Connection &sql);
    // When work() has something to do; time_point::max(): nothing.
    Clock::time_point due() const noexcept { return due_; }

  private:
    void count(postgres::Connection &sql);
    void write_row(postgres::Connection &sql);
    void write_log();

    const outbox::Ownership ours_;
    std::optional<OutageNews> news_;
    outbox::Backlog backlog_;
    std::string reason_; // of the last outage heard of
    Timestamp since_;
    Clock::time_point due_ = Clock::time_point::max();
    Clock::time_point written_{};
    Clock::time_point next_count_{};
    Clock::time_point next_log_{};
};

} // namespace pgat::daemon
