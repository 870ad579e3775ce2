// How to reach Postgres as the keywords that libpq knows.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"

namespace pgat::config {

using ConnectionParameters = std::vector<std::pair<std::string, std::string>>;

// In the order in which PQconnectdbParams must be given them, with expand_dbname not 0: a uri goes first, as
// "dbname", and what stands after it wins over what it says. What is not configured is left out, for libpq's
// environment, service and password files to say. application_name and timeouts are the caller's to add.
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PQCONNECTDBPARAMS
ConnectionParameters connection_parameters(const PgConnection &connection);

// The server for a message, without secrets: "localhost:5432/mydb as postgres"; what is left to libpq is
// left out.
std::string describe(const PgConnection &connection);

} // namespace pgat::config
