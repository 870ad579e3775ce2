// Tells of events that wait long before their partition would go: half of the retention time.
//
// A look is one query, once an hour, and once a minute while there is something to see; the log hears of it
// once an hour. Of every stream of the database: another one's events may wait because its daemon is gone,
// which then nobody else can tell. On the housekeeping thread.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "base/identifiers.hpp"
#include "daemon/handover.hpp"
#include "outbox/partitions.hpp"
#include "outbox/undelivered.hpp"
#include "postgres/connection.hpp"

namespace pgat::daemon {

class UndeliveredWatch {
  public:
    using Clock = std::chrono::steady_clock;

    // `oldest` always has what was seen last.
    UndeliveredWatch(StreamId ours, const outbox::PartitionPolicy &policy,
                     OldestUndelivered &oldest)
        : ours_(ours), policy_(policy), oldest_(oldest) {}

    Clock::time_point due() const noexcept { return due_; }
    void look(postgres::Connection &sql);
    // Of partitions that are past retention and not dropped, or dropped with events.
    void report(const outbox::PartitionWork &work);

  private:
    bool is_news(const std::string &what);
    void tell(const outbox::Undelivered &undelivered);

    const StreamId ours_;
    const outbox::PartitionPolicy policy_;
    OldestUndelivered &oldest_;
    Clock::time_point due_{};
    std::map<std::string, Clock::time_point> told_;
    bool any_ = false;
};

} // namespace pgat::daemon
