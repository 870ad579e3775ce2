#include "outbox/report/subscription_report.hpp"

#include "postgres/transaction.hpp"

namespace pgat::outbox {

std::vector<SubscriptionProblem> read_subscription_problems(postgres::Connection &connection,
                                                            std::optional<StreamId> stream) {
    // Never committed.
    postgres::Transaction transaction(connection);
    transaction.set("lock_timeout", "1s");
    const auto found = connection.exec("select stream_id, key, problem, coalesce(hint, '') "
                                       "from async_triggers.subscription_problems($1::bigint)",
                                       {stream});
    std::vector<SubscriptionProblem> problems;
    for (int row = 0; row < found.rows(); ++row)
        problems.push_back({StreamId(found.integer(row, 0)), std::string(found.text(row, 1)),
                            std::string(found.text(row, 2)), std::string(found.text(row, 3))});
    return problems;
}

} // namespace pgat::outbox
