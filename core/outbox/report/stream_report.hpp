// A stream as the database knows it: its state, how far it is behind, what it keeps. For `status`, pages and
// metrics; works whether a daemon runs or not.
//
// Reading takes one read-only transaction of a few milliseconds, and no lock that anybody would notice: where a
// number could be large, so many rows are looked at and no more.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/identifiers.hpp"
#include "base/lsn.hpp"
#include "outbox/event.hpp"
#include "postgres/connection.hpp"
#include "replication/slot.hpp"

namespace pgat::outbox {

struct ReportRequest {
    StreamId stream;
    std::string slot_name;
    std::uint32_t days_ahead = 3; // as the daemon is configured
    std::uint32_t retention_days = 7;
    bool drop_undelivered = false;
};

enum class StreamState {
    never_started, // no daemon has run it yet
    starting,      // a daemon is there and does not read the slot yet, or not any more
    streaming,     // a daemon reads the slot, and the sink takes events
    failover,      // a daemon reads the slot, and the sink is down, or is given what waits
    away,          // no daemon is there; its slot holds WAL, events wait in the table
};
// "never_started", "starting", …
std::string_view name_of(StreamState state) noexcept;

struct ServerReport {
    std::string version; // "16.4"
    std::string database;
    bool in_recovery = false; // a standby, or a server that starts up
    Timestamp now;
    Lsn wal; // its end; of what is replayed, where it is in recovery
};

// From the first failed call on until what waits is delivered.
struct Outage {
    std::optional<Timestamp> since;
    std::string reason;                  // what the sink's last failed call said
    std::optional<std::int64_t> waiting; // events, as the daemon counted them
    // Nothing: the sink is back and is given what waits.
    std::optional<Timestamp> next_attempt;
};

// The row of async_triggers.streams.
struct StreamRowReport {
    std::string uid;
    std::int64_t generation = 0; // how often a daemon took the stream
    Timestamp created_at;
    Timestamp updated_at; // the daemon's last write
    std::optional<Timestamp> next_maintenance;
    std::optional<Lsn> confirmed;
    std::optional<EventId> checkpoint; // the lowest event known to be undelivered, in an outage
    std::optional<Outage> outage;
};

// A session of a daemon of this stream. Every daemon has several, of one name.
struct DaemonReport {
    std::string name;   // application_name: async_triggers_<stream>_<process id>_<random>
    std::string client; // its address; empty: a local socket, or not for us to see
    std::optional<Timestamp> since;
    bool reads_slot = false; // else it stands by, or starts
};

struct Lag {
    // From what the slot has confirmed to the end of the WAL; nothing without a slot.
    std::optional<std::uint64_t> bytes;
    // Undelivered events. The row is up to two seconds behind the daemon.
    std::int64_t events_at_least = 0;
    std::int64_t events_at_most = 0; // the same where all were looked at
    // Of the oldest undelivered event among those looked at.
    std::optional<Timestamp> oldest;

    bool exact() const noexcept { return events_at_least == events_at_most; }
};

// So many rows above the cursor are looked at.
inline constexpr std::int64_t lag_rows = 50'000;

struct SlotReport {
    replication::Slot slot;
    std::string reader; // application_name of who reads it; empty: nobody
    bool in_this_database = true;
    std::uint64_t wal_held = 0;         // bytes, by its restart_lsn
    std::vector<std::string> waits_for; // transactions, while it is being created
};

struct PartitionsReport {
    std::int64_t count = 0;           // without the default one
    std::string oldest;               // events_YYYYMMDD; empty: there is none
    bool today = false;               // by the server's clock, in UTC
    std::int64_t days_ahead = 0;      // without a gap, from tomorrow on
    std::vector<std::string> missing; // of today and the days ahead as configured
    std::int64_t past_retention = 0;
    std::int64_t default_rows = 0;     // no more than default_rows_limit are counted
    std::optional<std::int64_t> bytes; // of all, with indexes; nothing: one is locked just now
};
inline constexpr std::int64_t default_rows_limit = 10'000;

struct DeadLettersReport {
    std::int64_t count = 0;        // no more than dead_letters_limit are counted
    std::int64_t last_hour = 0;    // of those counted
    std::optional<EventId> newest; // the last that failed
    std::optional<Timestamp> newest_at;
    std::string newest_reason;
};
inline constexpr std::int64_t dead_letters_limit = 10'000;

// What could not be read, and why: a privilege, a lock.
struct Unread {
    std::string section; // "partitions"
    std::string why;
    std::string hint;
};

struct StreamReport {
    StreamId stream;
    ServerReport server;
    int schema = 0;        // its version; 0: there is none, and nothing below is known but the slot
    int newest_schema = 0; // that this program knows
    std::optional<StreamRowReport> row;
    std::vector<StreamId> other_streams; // of this database, the first 20
    std::optional<SlotReport> slot;
    bool publication = false;
    std::vector<DaemonReport> daemons;
    Lag lag;
    std::optional<PartitionsReport> partitions;
    std::optional<DeadLettersReport> dead_letters;
    std::int64_t subscriptions = 0;
    std::int64_t subscribed_tables = 0;
    std::vector<Unread> unread;

    StreamState state() const noexcept;
};

// `connection` is not in a transaction. Throws Error where the session is lost or the server's catalogs cannot be
// read; what else cannot be read stands in `unread`.
StreamReport read_stream_report(postgres::Connection &connection, const ReportRequest &request);

} // namespace pgat::outbox
