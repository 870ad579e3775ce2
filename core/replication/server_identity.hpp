// Which server a session talks to, so that SQL and replication are never paired across two servers.
//
// After a promotion the name of the primary may lead one connection to the old server and another
// to the new; a snapshot of the one with WAL positions of the other would lose events.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/distinct.hpp"
#include "base/lsn.hpp"
#include "postgres/connection.hpp"

namespace pgat::replication {

using Timeline = Distinct<struct TimelineTag, std::uint32_t>;

struct ServerIdentity {
    // As pg_control_system() prints it; empty where the role may not ask (SQL sessions only).
    std::string system_identifier;
    Timeline timeline; // 0 while in recovery
    Lsn position;      // the end of the WAL when asked; invalid while in recovery
    std::string database;
    bool in_recovery = false;
};

// Asks a replication session (replication=database) with IDENTIFY_SYSTEM.
ServerIdentity identify_replication(postgres::Connection &session);
// Asks an ordinary session.
ServerIdentity identify_sql(postgres::Connection &session);

// Throws Error unless both are one database of one primary server: `reconnect` for two servers or a
// standby, `configure` for two databases, `stop` where the role may not ask for the system
// identifier.
void require_one_primary(const ServerIdentity &sql, const ServerIdentity &replication);

} // namespace pgat::replication
