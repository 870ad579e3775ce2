// The daily partitions of async_triggers.events, and their end.
//
// Partitions are bounded by days in UTC and named events_YYYYMMDD. Each step is a transaction of its
// own with a short lock_timeout, for the locks it takes would hold up the application's writes behind
// the longest SELECT on the table; what did not get its lock is in `again`, and the caller comes back.
// Two daemons may do this at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "outbox/stream_row.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

struct PartitionPolicy {
    std::uint32_t days_ahead = 3;
    std::uint32_t retention_days = 7;
    bool drop_undelivered = false;
    std::chrono::milliseconds lock_timeout{200};
};

// An event that waits for so long is worth a word, long before its partition would go.
constexpr std::chrono::hours half_of_retention(const PartitionPolicy &policy) noexcept {
    return std::chrono::hours(12 * policy.retention_days);
}

struct PartitionWork {
    struct Kept {
        std::string partition;
        std::string streams; // who has undelivered events in it: "1, 7", "12 (without a row)"
        Timestamp since;     // the first of these was written
    };
    std::vector<std::string> created;
    std::vector<std::string> left_in_default; // days with rows in the default partition already
    std::vector<std::string> blocked;         // a table that is no partition of ours has the name
    std::vector<std::string> dropped;
    std::vector<Kept> kept;         // past retention, but not delivered
    std::vector<Kept> lost;         // likewise, and dropped or deleted all the same
    std::vector<std::string> again; // locked by others just now: "create events_…"
    std::size_t deleted_from_default = 0;

    bool anything_done() const noexcept {
        return !created.empty() || !dropped.empty() || deleted_from_default != 0;
    }
};

// Partitions for today up to today + days_ahead, as the server's clock says.
void create_partitions(postgres::Connection &connection, const PartitionPolicy &policy,
                       PartitionWork &work);

// Drops partitions whose day ended more than retention_days ago, once every stream's row holds all
// of its events in them, and every event there has a stream with a row (or always, with
// drop_undelivered). Throws Error (recover) if the stream was
// taken by another daemon.
void drop_partitions(postgres::Connection &connection, const Ownership &ours,
                     const PartitionPolicy &policy, PartitionWork &work);

// Deletes rows of the default partition that are delivered and past retention, a thousand a
// transaction, at most `steps` of them. True if there may be more.
bool clean_default_partition(postgres::Connection &connection, const PartitionPolicy &policy,
                             std::size_t steps, PartitionWork &work);

} // namespace pgat::outbox
