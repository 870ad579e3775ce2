// What would change for the stream's subscriptions to be as they are declared, as the database sees it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/identifiers.hpp"
#include "cli/subscriptions/file.hpp"
#include "postgres/connection.hpp"

namespace pgat::cli::subscriptions {

struct ChangedColumn {
    std::string name;
    std::optional<std::string> before; // nothing: null
    std::optional<std::string> after;
    bool operator==(const ChangedColumn &) const = default;
};

struct Change {
    enum class Kind { add, change, remove };
    Kind kind = Kind::add;
    std::string key;
    std::string subject; // "INSERT on public.users", as it will be; of one to be removed, as it is
    std::vector<ChangedColumn> columns; // that differ; of a new one, all that are set
    bool operator==(const Change &) const = default;
};

struct Plan {
    std::vector<Change> changes; // by key
    std::int64_t unchanged = 0;

    std::int64_t count(Change::Kind kind) const;
    bool operator==(const Plan &) const = default;
};

// Null and empty payload_extensions are one. Throws Error.
Plan make_plan(postgres::Connection &sql, StreamId stream, const std::vector<Declared> &declared);

struct Refusal {
    std::string key;
    std::string place; // in the file
    std::string what;  // names the subscription
    std::string hint;
};
// What the database would refuse of the changes, all of it, found out without touching a table: each is compiled on
// functions that a rollback takes away again. Where the role may not do that (it takes the owner of our schema) there is
// none, and applying finds out.
std::vector<Refusal> refusals(postgres::Connection &sql, StreamId stream, const Plan &plan,
                              const std::vector<Declared> &declared);

// Within the caller's transaction; what is equal stays untouched. First waits for others that set subscriptions of this
// stream.
void lock(postgres::Connection &sql, StreamId stream);
void set(postgres::Connection &sql, StreamId stream, const std::vector<Declared> &declared);

} // namespace pgat::cli::subscriptions
