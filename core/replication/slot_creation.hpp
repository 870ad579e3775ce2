// Creating the slot. It waits for every transaction with an xid that is open in the cluster, a
// prepared one for ever: run it on a session and a thread of its own, beside whatever must go on.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/lsn.hpp"
#include "postgres/connection.hpp"

namespace pgat::replication {

struct CreatedSlot {
    Lsn consistent_point; // the stream has every transaction that commits after it, and no other
    // For SET TRANSACTION SNAPSHOT: sees exactly the transactions before consistent_point. Valid
    // until the next command on the creating session.
    std::string snapshot_name;
    bool failover = false; // is synchronized to standbys (Postgres 17 and later)
};

// Creates the slot on a replication session, which should have an interrupt; answer_timeout is not
// applied. On Error (interrupted) the server is told to give up, and the session is of no more use.
// Other errors: `recover` with 42710 (exists already: look again), `stop` with a hint for wal_level,
// privileges; `retry` with 53400 when all slots are taken.
CreatedSlot create_slot(postgres::Connection &replication, std::string_view name);

// The exported snapshot in pg_snapshot's text form, "xmin:xmax:xip,…". `sql` must not be in a
// transaction, and be connected to the slot's database.
std::string read_exported_snapshot(postgres::Connection &sql, std::string_view snapshot_name);

// A transaction that the creation of a slot waits for.
struct Blocker {
    std::string xid; // 32 bits, as pg_locks prints it
    std::optional<int> pid;
    std::string prepared_as; // the gid of a prepared transaction; else empty
    std::string user;
    std::string database;
    std::string application;
    std::optional<double> seconds_open; // absent where the role may not know

    // "prepared transaction 'x' of alice in shop, open for 3600 s (end it with …)"
    std::string text() const;
};

// What the session that now creates slot `name` waits for; empty: nothing, or it is not there.
// CREATE_REPLICATION_SLOT waits for them one after the other, so there is mostly one.
std::vector<Blocker> creation_waits_for(postgres::Connection &sql, std::string_view name);

// A daemon that dies while it creates a slot leaves its server process waiting, which holds the
// name. Cancels it if nobody is behind it: no SQL session has the creating session's
// application_name, which must therefore be one and the same in all sessions of a daemon, and
// another in every other daemon. True if a process was told to end; look again until it has.
bool cancel_orphaned_creation(postgres::Connection &sql, std::string_view name);

} // namespace pgat::replication
