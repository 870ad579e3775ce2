#include <fmt/format.h>

#include "base/quantities.hpp"
#include "cli/check/checks.hpp"

namespace pgat::cli::check {

// A slot that is created waits for every open transaction that writes, and what one may still see no vacuum removes.
void check_transactions(Report &report, postgres::Connection &sql, std::int64_t seconds) {
    const auto rows = sql.exec(
        "SELECT * FROM ("
        "SELECT extract(epoch FROM now() - xact_start)::bigint AS open, "
        "format('%s of %s in %s%s, %s', CASE WHEN state LIKE 'idle%' THEN 'an idle transaction' "
        "  ELSE 'a transaction' END, coalesce(usename, '?'), coalesce(datname, 'no database'), "
        "  CASE WHEN coalesce(application_name, '') = '' THEN '' "
        "    ELSE format(' (%s)', application_name) END, format('server process %s', pid)), "
        "format('SELECT pg_terminate_backend(%s);', pid) "
        "FROM pg_stat_activity WHERE xact_start < now() - make_interval(secs => $1::int) "
        "AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL) AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend' "
        "UNION ALL "
        "SELECT extract(epoch FROM now() - prepared)::bigint, "
        "format('prepared transaction %L of %s in %s', gid, owner, database), "
        "format('ROLLBACK PREPARED %L;', gid) || ' (or COMMIT PREPARED, in database ' || database "
        "|| ')' FROM pg_prepared_xacts WHERE prepared < now() - make_interval(secs => $1::int)"
        ") found ORDER BY open DESC LIMIT 3",
        {seconds});
    if (rows.empty())
        return report.ok("transactions", "none is open for more than " + duration_text(seconds));
    for (int row = 0; row < rows.rows(); ++row)
        report.warn("transactions",
                    fmt::format("{} is open for {}: a new slot would wait for it, and vacuum "
                                "cannot clean up behind it",
                                rows.text(row, 1), duration_text(rows.integer(row, 0))),
                    {"if nobody needs it any more:", std::string(rows.text(row, 2))});
}

} // namespace pgat::cli::check
