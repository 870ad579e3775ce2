#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/check/checks.hpp"
#include "cli/check/provider.hpp"

namespace pgat::cli::check {

namespace {

struct Missing {
    std::vector<std::string> what;
    std::vector<std::string> statements;

    void add(const postgres::Result &rows) {
        for (int row = 0; row < rows.rows(); ++row) {
            what.emplace_back(rows.text(row, 0));
            statements.emplace_back(rows.text(row, 1));
        }
    }
};

// On Amazon's servers a role stands for the attribute.
constexpr const char *of_the_role =
    "SELECT 'REPLICATION', '' FROM pg_roles "
    "WHERE rolname = current_user AND NOT rolreplication AND NOT rolsuper "
    "AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = 'rds_replication' "
    "                AND pg_has_role(current_user, r.oid, 'MEMBER')) "
    "UNION ALL "
    "SELECT format('CREATE on database %s', current_database()), "
    "       format('GRANT CREATE ON DATABASE %I TO %I;', current_database(), current_user) "
    "WHERE NOT has_database_privilege(current_database(), 'CREATE')";

constexpr const char *of_our_schema =
    "WITH owners AS ("
    "    SELECT nspowner AS owner FROM pg_namespace WHERE nspname = 'async_triggers' "
    "    UNION SELECT relowner FROM pg_class "
    "    WHERE relnamespace = to_regnamespace('async_triggers') AND relkind IN ('r', 'p', 'S')) "
    "SELECT format('ownership of schema async_triggers (%s has it)', pg_get_userbyid(owner)), "
    "       format('GRANT %I TO %I;', pg_get_userbyid(owner), current_user) "
    "FROM owners WHERE NOT pg_has_role(current_user, owner, 'USAGE')";

// The subscribed tables of all streams and their partitions: a trigger is made on each.
constexpr const char *of_the_tables =
    "WITH RECURSIVE tree(oid) AS ("
    "    SELECT c.oid FROM (SELECT DISTINCT relation::oid AS oid "
    "                       FROM async_triggers.compiled_subscriptions) s JOIN pg_class c USING "
    "(oid) "
    "    UNION SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid "
    "    JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition), "
    "tables AS (SELECT c.oid, c.relname, n.oid AS schema, n.nspname "
    "           FROM tree JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = "
    "c.relnamespace) "
    "(SELECT DISTINCT format('USAGE on schema %I', nspname), "
    "        format('GRANT USAGE ON SCHEMA %I TO %I;', nspname, current_user) "
    " FROM tables WHERE NOT has_schema_privilege(schema, 'USAGE') ORDER BY 1) "
    "UNION ALL "
    "(SELECT format('TRIGGER on %I.%I', nspname, relname), "
    "        format('GRANT TRIGGER ON %I.%I TO %I;', nspname, relname, current_user) "
    " FROM tables WHERE NOT has_table_privilege(oid, 'TRIGGER') ORDER BY 1)";

} // namespace

void check_privileges(Report &report, postgres::Connection &sql) {
    Missing missing;
    missing.add(sql.exec(of_the_role));
    for (std::string &statement : missing.statements)
        if (statement.empty())
            statement = grant_replication(provider_of(sql),
                                          sql.exec("SELECT quote_ident(current_user)").text(0, 0));
    const auto foreign = sql.exec(of_our_schema);
    missing.add(foreign);
    const bool readable =
        foreign.empty() &&
        sql.exec("SELECT to_regclass('async_triggers.compiled_subscriptions') IS NOT NULL")
            .boolean(0, 0);
    if (readable) missing.add(sql.exec(of_the_tables));

    const auto role = sql.exec("SELECT current_user");
    if (missing.what.empty())
        return report.ok("privileges", fmt::format("role {} has all it needs", role.text(0, 0)));
    report.fail("privileges",
                fmt::format("role {} lacks {}; as an administrator run", role.text(0, 0),
                            fmt::join(missing.what, ", ")),
                missing.statements);
}

} // namespace pgat::cli::check
