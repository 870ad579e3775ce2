#include <fmt/format.h>

#include "cli/check/checks.hpp"

namespace pgat::cli::check {

namespace {

// Looking makes functions to try expressions on; the rollback leaves none behind.
postgres::Result problems_of(postgres::Connection &sql, StreamId stream) {
    sql.exec("BEGIN");
    auto problems = sql.exec("SELECT key, problem, coalesce(hint, '') "
                             "FROM async_triggers.subscription_problems($1::bigint)",
                             {stream});
    sql.exec("ROLLBACK");
    return problems;
}

} // namespace

void check_triggers(Report &report, postgres::Connection &sql, StreamId stream) {
    const auto problems = problems_of(sql, stream);
    for (int row = 0; row < problems.rows(); ++row) {
        std::string found(problems.text(row, 1));
        // A refusal names the subscription itself.
        if (!found.starts_with("subscription \""))
            found = fmt::format("subscription \"{}\": {}", problems.text(row, 0), found);
        std::vector<std::string> mend;
        if (!problems.text(row, 2).empty()) mend.emplace_back(problems.text(row, 2));
        report.fail("triggers", found, mend);
    }
    if (!problems.empty()) return;
    const auto count =
        sql.exec("SELECT count(*) FROM async_triggers.subscriptions WHERE stream_id = $1", {stream})
            .integer(0, 0);
    if (count == 0)
        report.ok("triggers", fmt::format("stream {} has no subscriptions yet", stream));
    else
        report.ok("triggers",
                  fmt::format("in place for {} subscription{}", count, count == 1 ? "" : "s"));
}

} // namespace pgat::cli::check
