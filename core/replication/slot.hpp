// A replication slot as pg_replication_slots shows it, and what may be done with it
// (https://www.postgresql.org/docs/current/view-pg-replication-slots.html).
//
// A slot is only a hint where to go on reading: ours is replaced when it is lost, one that is not
// ours is never touched.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/lsn.hpp"
#include "postgres/connection.hpp"

namespace pgat::replication {

struct Slot {
    std::string name;
    std::string slot_type; // logical or physical
    std::string plugin;    // empty for physical
    std::string database;  // empty for physical
    bool temporary = false;
    bool active = false;
    std::optional<int> active_pid;
    Lsn confirmed_flush;    // invalid while the slot is being created
    Lsn restart;            // invalid once the slot is invalidated
    std::string wal_status; // reserved, extended, unreserved, lost; empty: nothing reserved yet
    std::optional<std::int64_t> safe_wal_size; // bytes; absent: unlimited, or lost
    bool invalidated = false;                  // no session will ever read it again
    std::string invalidation_reason;           // where the version tells; else as wal_status
    bool failover = false;
    bool two_phase = false;

    // CREATE_REPLICATION_SLOT has not returned yet: it waits for open transactions.
    bool being_created() const noexcept { return !confirmed_flush.valid() && !invalidated; }
};

// Nothing: no slot of that name in the whole cluster.
std::optional<Slot> find_slot(postgres::Connection &sql, std::string_view name);

// Throws Error unless it is a permanent logical slot of pgoutput in `database` without two-phase
// decoding, which is what we create: `stop` with a hint that names the ways out, or `retry` for a
// temporary slot, which goes away with its session. It may still be invalidated, active, or being
// created.
void require_ours(const Slot &slot, std::string_view database);

// Drops it, if it is there. Throws Error (retry, SQLSTATE 55006) while a session holds it. Call
// require_ours first.
void drop_slot(postgres::Connection &sql, std::string_view name);

} // namespace pgat::replication
