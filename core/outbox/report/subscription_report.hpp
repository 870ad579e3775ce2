// What is wrong with the subscriptions of a stream: a column that has gone, a trigger that somebody dropped or disabled.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/identifiers.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

struct SubscriptionProblem {
    StreamId stream;
    std::string key;
    std::string problem;
    std::string hint; // a statement where there is one; may be empty
};

// Of one stream, or of all of the database. Every subscription is compiled anew, on functions that a rollback takes away
// again: a few milliseconds each, and a transaction id. For a person who asks, not for every few seconds.
// `connection` is not in a transaction, and schema async_triggers is at this program's version. Throws Error.
std::vector<SubscriptionProblem> read_subscription_problems(postgres::Connection &connection,
                                                            std::optional<StreamId> stream);

} // namespace pgat::outbox
