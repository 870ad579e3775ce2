#include "outbox/migrations.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/fault_point.hpp"
#include "postgres/sqlstate.hpp"
#include "postgres/transaction.hpp"
#include "sql/migrations.hpp"

namespace pgat::outbox {

namespace {

// Of our advisory locks this one is for migrations; any number that nobody else is likely to use.
constexpr std::int64_t lock_key = 0x7067'6174'6d69'6772; // "pgatmigr"

int newest() { return static_cast<int>(sql::migrations().size()); }

int version_of(postgres::Connection &connection) {
    // By a query, which needs no privilege and sees what is committed now: to_regclass() may answer
    // from what this session remembers of an earlier look, until its next transaction.
    const auto table =
        connection.exec("select from pg_class join pg_namespace on pg_namespace.oid = relnamespace "
                        "where nspname = 'async_triggers' and relname = 'schema_migrations'");
    if (table.empty()) return 0;
    return static_cast<int>(
        connection.exec("select coalesce(max(version), 0) from async_triggers.schema_migrations")
            .integer(0, 0));
}

Error newer(int found) {
    return Error(
               Remedy::stop,
               fmt::format("the database's schema async_triggers has version {}, but this program "
                           "knows none above {}",
                           found, newest()))
        .with_hint(
            "a newer postgres-async-triggers has migrated it: use that version, or a newer one");
}

// What is missing, said by the name of the role and the statement that mends it.
std::string privilege_hint(postgres::Connection &connection) {
    const auto who =
        connection.exec("select quote_ident(current_user), quote_ident(current_database()), "
                        "(select quote_ident(rolname) from pg_namespace join pg_roles "
                        "on pg_roles.oid = nspowner where nspname = 'async_triggers'), "
                        "has_database_privilege(current_database(), 'CREATE')");
    const auto role = who.text(0, 0);
    const auto owner = who.text(0, 2);
    if (owner.empty() && !who.boolean(0, 3))
        return fmt::format("as the database's owner: grant create on database {} to {};",
                           who.text(0, 1), role);
    if (!owner.empty() && owner != role)
        return fmt::format(
            "schema async_triggers belongs to role {0}: connect as that role, or let "
            "this one act for it: grant {0} to {1};",
            owner, role);
    return {};
}

Error explained(postgres::Connection &connection, const Error &error, const std::string &doing) {
    std::string hint = error.hint();
    if (error.sqlstate() == postgres::sqlstate::insufficient_privilege)
        if (std::string grant = privilege_hint(connection); !grant.empty()) hint = std::move(grant);
    return Error(Remedy::stop, fmt::format("{}: {}", doing, error.what()))
        .with_sqlstate(error.sqlstate())
        .with_hint(std::move(hint));
}

// Another daemon that holds a lock for long, a lost connection: another try may work.
bool may_pass(const Error &error) {
    return error.remedy() != Remedy::retry || error.sqlstate().empty() ||
           error.sqlstate() == postgres::sqlstate::lock_not_available;
}

// True if this call applied it; false if somebody else had.
bool apply(postgres::Connection &connection, const sql::Migration &migration) {
    postgres::Transaction transaction(connection);
    // Whoever holds the lock is migrating; that may take a while, and then there is nothing to do.
    transaction.set("lock_timeout", "60s");
    connection.exec("select pg_advisory_xact_lock($1::bigint)", {lock_key});
    transaction.set("lock_timeout", "10s");
    // A new statement: what the lock's last holder committed is seen.
    const int found = version_of(connection);
    if (found > newest()) throw newer(found);
    if (found >= migration.version) return false;
    connection.exec(std::string(migration.text));
    connection.exec("insert into async_triggers.schema_migrations (version, name) "
                    "values ($1::integer, $2)",
                    {migration.version, migration.name});
    fault_point("migration_applying");
    transaction.commit();
    fault_point("migration_applied");
    return true;
}

} // namespace

SchemaState schema_state(postgres::Connection &connection) {
    try {
        return {version_of(connection), newest()};
    } catch (const Error &error) {
        if (may_pass(error)) throw;
        throw explained(connection, error, "cannot read the schema's version");
    }
}

std::vector<std::string> migrate(postgres::Connection &connection) {
    // A look without the lock first: most starts have nothing to do, and need no privilege for it.
    const SchemaState state = schema_state(connection);
    if (state.newer_than_binary()) throw newer(state.found);
    std::vector<std::string> applied;
    for (const auto &migration : sql::migrations()) {
        if (migration.version <= state.found) continue;
        try {
            if (apply(connection, migration))
                applied.push_back(fmt::format("{:04} {}", migration.version, migration.name));
        } catch (const Error &error) {
            if (may_pass(error)) throw;
            throw explained(
                connection, error,
                fmt::format("cannot apply migration {} ({})", migration.version, migration.name));
        }
    }
    return applied;
}

std::string migration_script() {
    std::string script =
        "-- The schema async_triggers, for psql: all migrations, each in a transaction.\n"
        "\\set ON_ERROR_STOP on\n";
    for (const auto &migration : sql::migrations())
        script += fmt::format("\n-- {:04} {}\nbegin;\n{}\n"
                              "insert into async_triggers.schema_migrations (version, name) "
                              "values ({}, '{}');\ncommit;\n",
                              migration.version, migration.name, migration.text, migration.version,
                              migration.name);
    return script;
}

} // namespace pgat::outbox
