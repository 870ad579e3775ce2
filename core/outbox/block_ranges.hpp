// Through a whole partition in steps of some megabytes, each a statement of its own: for what no index answers,
// without a transaction that is open for as long as a large table takes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "postgres/connection.hpp"

namespace pgat::outbox {

// Calls visit(first, end), two tids as text, for every range of blocks the table has now, until it returns false.
// `partition` is a table of our schema. A TID range scan reads such a range alone (Postgres 14 and later).
void each_block_range(postgres::Connection &connection, const std::string &partition,
                      const std::function<bool(const std::string &, const std::string &)> &visit);

// The names of all partitions of async_triggers.events, the default one among them.
std::vector<std::string> partition_names(postgres::Connection &connection);

} // namespace pgat::outbox
