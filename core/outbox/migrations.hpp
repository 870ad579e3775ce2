// Brings the schema async_triggers to the version that this binary was built with, from the
// migrations embedded in it (sql/).
#pragma once

#include <string>
#include <vector>

#include "postgres/connection.hpp"

namespace pgat::outbox {

struct SchemaState {
    int found = 0;  // the database's version; 0: no schema yet
    int newest = 0; // this binary's
    bool complete() const noexcept { return found == newest; }
    bool newer_than_binary() const noexcept { return found > newest; }
};

SchemaState schema_state(postgres::Connection &connection);

// Applies what is missing, each migration in a transaction of its own under an advisory lock, so that
// daemons that start together take turns; the names of those applied. Throws Error (stop) for a
// database newer than this binary, and for a missing privilege, with the GRANT that mends it.
std::vector<std::string> migrate(postgres::Connection &connection);

// All migrations as one script for psql, for those who apply them by other means.
std::string migration_script();

} // namespace pgat::outbox
