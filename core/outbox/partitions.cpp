#include "outbox/partitions.hpp"

#include <functional>
#include <optional>

#include "base/error.hpp"
#include "base/fault_point.hpp"
#include "outbox/time_text.hpp"
#include "outbox/unclaimed.hpp"
#include "outbox/undelivered.hpp"
#include "postgres/sqlstate.hpp"
#include "postgres/transaction.hpp"

namespace pgat::outbox {

namespace {

using postgres::Connection;
using postgres::Transaction;

// One daemon at a time makes or drops partitions; the others' turn comes after, and finds it done.
constexpr std::int64_t lock_key = 0x7067'6174'7061'7274; // "pgatpart"

namespace sqlstate {
constexpr std::string_view check_violation = "23514";
constexpr std::string_view deadlock_detected = "40P01";
} // namespace sqlstate

bool is_locked(const Error &error) {
    return error.sqlstate() == postgres::sqlstate::lock_not_available ||
           error.sqlstate() == sqlstate::deadlock_detected;
}

void begin_step(Connection &connection, Transaction &transaction,
                std::chrono::milliseconds lock_timeout) {
    transaction.set("lock_timeout", fmt::format("{}ms", lock_timeout.count()));
    connection.exec("select pg_advisory_xact_lock($1::bigint)", {lock_key});
}

// What a relation of that name in our schema is.
enum class Found { nothing, partition, other };

Found find_table(Connection &connection, std::string_view name) {
    const auto found =
        connection.exec("select exists (select from pg_inherits where inhrelid = pg_class.oid "
                        "and inhparent = 'async_triggers.events'::regclass) from pg_class "
                        "where relnamespace = 'async_triggers'::regnamespace and relname = $1",
                        {name});
    if (found.empty()) return Found::nothing;
    return found.boolean(0, 0) ? Found::partition : Found::other;
}

struct Day {
    std::string name;  // events_20261122
    std::string first; // 2026-11-22
    std::string next;
    bool running; // rows of it may be on their way into the default partition
};

void create_partition(Connection &connection, const Day &day, const PartitionPolicy &policy,
                      PartitionWork &work) {
    Transaction transaction(connection);
    begin_step(connection, transaction, policy.lock_timeout);
    switch (find_table(connection, day.name)) {
    case Found::partition:
        return;
    case Found::other:
        work.blocked.push_back(day.name);
        return;
    case Found::nothing:
        break;
    }
    fault_point("partition_creating");
    // Aside first: CREATE … PARTITION OF would take an ACCESS EXCLUSIVE lock on the parent, which stops
    // every writer; ATTACH lets them pass, and locks only the default partition beside the new one.
    //
    // A statement that has chosen the default partition for its row fails when that day is attached in
    // between ("violates partition constraint"): for the day that runs, wait for those writers to end.
    transaction.commit_after(fmt::format(
        "create table async_triggers.{0} "
        "(like async_triggers.events including all excluding identity); "
        "{3}"
        "alter table async_triggers.events attach partition async_triggers.{0} "
        "for values from ('{1} 00:00:00+00') to ('{2} 00:00:00+00')",
        day.name, day.first, day.next,
        day.running ? "lock table only async_triggers.events in share row exclusive mode; " : ""));
    fault_point("partition_created");
    work.created.push_back(day.name);
}

// Which streams still have to deliver events of this partition, and since when it has the first of them;
// nothing: none.
std::optional<PartitionWork::Kept> undelivered_in(Connection &connection,
                                                  const std::string &partition) {
    const auto found = connection.exec(fmt::format(
        "select coalesce(string_agg(s.id::text, ', ' order by s.id), ''), {} "
        "from async_triggers.streams s cross join lateral (select e.created_at "
        "from async_triggers.{} e where e.stream_id = s.id and {} order by e.id limit 1) first",
        microseconds_of("min(first.created_at)"), partition, undelivered_condition()));
    if (found.null(0, 1)) return std::nullopt;
    return PartitionWork::Kept{partition, std::string(found.text(0, 0)),
                               Timestamp(found.integer(0, 1))};
}

void require_generation(Connection &connection, const Ownership &ours) {
    // Shared, until the transaction ends: nobody raises the generation while we drop.
    const auto found = connection.exec("select from async_triggers.streams where id = $1::bigint "
                                       "and generation = $2::bigint for share",
                                       {ours.stream, ours.generation});
    if (found.empty()) {
        require_ownership(connection, ours);
        throw Error(Remedy::recover, fmt::format("fenced: stream {} was just taken", ours.stream));
    }
}

// What the partition has that no row claims, and how far that look went: beyond `through` it is to be repeated.
struct Strays {
    std::optional<PartitionWork::Kept> kept;
    EventId through;
};

Strays strays_in(Connection &connection, const std::string &partition,
                 const PartitionPolicy &policy) {
    {
        // Who was inside writing has ended now, so that the look sees it, however long it takes.
        Transaction transaction(connection);
        begin_step(connection, transaction, policy.lock_timeout);
        transaction.commit_after(fmt::format(
            "lock table only async_triggers.{} in share row exclusive mode", partition));
    }
    Strays strays;
    strays.through = EventId(
        connection
            .exec(fmt::format("select coalesce(max(id), 0) from async_triggers.{}", partition))
            .integer(0, 0));
    if (auto found = unclaimed_in(connection, partition))
        strays.kept =
            PartitionWork::Kept{partition, found->streams + " (without a row)", found->since};
    return strays;
}

void drop_partition(Connection &connection, const Ownership &ours, const std::string &partition,
                    const PartitionPolicy &policy, PartitionWork &work) {
    // A look without locks first; most of the time it is all that is needed.
    auto undelivered = undelivered_in(connection, partition);
    if (undelivered && !policy.drop_undelivered) {
        work.kept.push_back(*std::move(undelivered));
        return;
    }
    Strays strays = strays_in(connection, partition, policy);
    if (strays.kept && !policy.drop_undelivered) {
        work.kept.push_back(*std::move(strays.kept));
        return;
    }
    Transaction transaction(connection);
    begin_step(connection, transaction, policy.lock_timeout);
    if (find_table(connection, partition) != Found::partition) return;
    require_generation(connection, ours);
    // No writer is inside any more, none comes in, and readers may go on reading: only the drop itself
    // shuts them out, when there is nothing left to look at. A new statement sees what was committed
    // before the lock was given.
    connection.exec(
        fmt::format("lock table only async_triggers.{} in share row exclusive mode", partition));
    undelivered = undelivered_in(connection, partition);
    if (undelivered && !policy.drop_undelivered) {
        work.kept.push_back(*std::move(undelivered));
        return;
    }
    if (!policy.drop_undelivered && unclaimed_above(connection, partition, strays.through)) {
        work.again.push_back("drop " + partition);
        return;
    }
    fault_point("partition_dropping");
    transaction.commit_after(fmt::format("drop table async_triggers.{}", partition));
    fault_point("partition_dropped");
    work.dropped.push_back(partition);
    if (undelivered) work.lost.push_back(*std::move(undelivered));
    if (strays.kept) work.lost.push_back(*std::move(strays.kept));
}

} // namespace

void create_partitions(Connection &connection, const PartitionPolicy &policy, PartitionWork &work) {
    const auto days = connection.exec(
        "select 'events_' || to_char(today + n, 'YYYYMMDD'), to_char(today + n, 'YYYY-MM-DD'), "
        "to_char(today + n + 1, 'YYYY-MM-DD') from "
        "(select (clock_timestamp() at time zone 'UTC')::date as today) as clock, "
        "generate_series(0, $1::integer) as n order by n",
        {policy.days_ahead});
    for (int row = 0; row < days.rows(); ++row) {
        const Day day{std::string(days.text(row, 0)), std::string(days.text(row, 1)),
                      std::string(days.text(row, 2)), row == 0};
        if (find_table(connection, day.name) == Found::partition) continue;
        try {
            create_partition(connection, day, policy, work);
        } catch (const Error &error) {
            if (is_locked(error))
                work.again.push_back("create " + day.name);
            else if (error.sqlstate() == sqlstate::check_violation)
                work.left_in_default.push_back(day.name);
            else
                throw;
        }
    }
}

void drop_partitions(Connection &connection, const Ownership &ours, const PartitionPolicy &policy,
                     PartitionWork &work) {
    // Only what is named as ours are named; the day in the name is the day of its bounds. A partition
    // goes when its last moment is retention_days old.
    const auto old = connection.exec(
        "select relname from pg_inherits join pg_class on pg_class.oid = inhrelid "
        "where inhparent = 'async_triggers.events'::regclass "
        "and relnamespace = 'async_triggers'::regnamespace and relname ~ '^events_[0-9]{8}$' "
        "and substr(relname, 8) < to_char((clock_timestamp() at time zone 'UTC')::date "
        "- $1::integer, 'YYYYMMDD') order by relname",
        {policy.retention_days});
    for (int row = 0; row < old.rows(); ++row) {
        const std::string partition(old.text(row, 0));
        try {
            drop_partition(connection, ours, partition, policy, work);
        } catch (const Error &error) {
            if (!is_locked(error)) throw;
            work.again.push_back("drop " + partition);
        }
    }
}

bool clean_default_partition(Connection &connection, const PartitionPolicy &policy,
                             std::size_t steps, PartitionWork &work) {
    constexpr std::size_t step = 1000;
    const std::string held =
        policy.drop_undelivered
            ? ""
            : fmt::format(" and exists (select from async_triggers.streams s where s.id = "
                          "e.stream_id and not ({}))",
                          undelivered_condition());
    const std::string statement = fmt::format(
        "with expired as (delete from async_triggers.events_default where ctid = any (array("
        "select ctid from async_triggers.events_default e where created_at < "
        "((clock_timestamp() at time zone 'UTC')::date - $1::integer)::timestamp at "
        "time zone 'UTC'{} limit {})) returning xid, id, stream_id, created_at) "
        "select count(*), coalesce(string_agg(distinct s.id::text, ', '), ''), {} "
        "from expired e left join async_triggers.streams s on s.id = e.stream_id and {}",
        held, step, microseconds_of("min(e.created_at) filter (where s.id is not null)"),
        undelivered_condition());
    try {
        for (; steps > 0; --steps) {
            const auto done = connection.exec(statement, {policy.retention_days});
            const auto deleted = static_cast<std::size_t>(done.integer(0, 0));
            work.deleted_from_default += deleted;
            if (!done.null(0, 2))
                work.lost.push_back({"events_default", std::string(done.text(0, 1)),
                                     Timestamp(done.integer(0, 2))});
            if (deleted < step) return false;
        }
    } catch (const Error &error) {
        if (!is_locked(error)) throw;
        work.again.emplace_back("clean events_default");
    }
    return true;
}

} // namespace pgat::outbox
