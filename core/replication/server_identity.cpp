#include "replication/server_identity.hpp"

#include <charconv>

#include <fmt/format.h>

#include "postgres/sqlstate.hpp"

namespace pgat::replication {

namespace {

// A WAL file's name begins with its timeline, eight hexadecimal digits.
Timeline timeline_of_wal_file(std::string_view name) {
    std::uint32_t timeline = 0;
    const auto digits = name.substr(0, 8);
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), timeline, 16);
    if (failure != std::errc{} || end != digits.data() + 8)
        throw Error(Remedy::stop, fmt::format("\"{}\" is not the name of a WAL file", name));
    return Timeline(timeline);
}

std::string system_identifier_by_sql(postgres::Connection &session) {
    try {
        return std::string(
            session.exec("SELECT system_identifier FROM pg_control_system()").text(0, 0));
    } catch (const Error &error) {
        if (error.sqlstate() == postgres::sqlstate::insufficient_privilege) return {};
        throw;
    }
}

} // namespace

ServerIdentity identify_replication(postgres::Connection &session) {
    ServerIdentity identity;
    const auto system = session.exec("IDENTIFY_SYSTEM");
    const auto recovery = session.exec("SELECT pg_is_in_recovery()");
    identity.system_identifier = system.text(0, 0);
    identity.database = system.text(0, 3);
    identity.in_recovery = recovery.boolean(0, 0);
    if (identity.in_recovery) return identity;
    identity.timeline = Timeline(static_cast<std::uint32_t>(system.unsigned_integer(0, 1)));
    identity.position = system.lsn(0, 2);
    return identity;
}

ServerIdentity identify_sql(postgres::Connection &session) {
    ServerIdentity identity;
    identity.system_identifier = system_identifier_by_sql(session);
    const auto state = session.exec(
        "SELECT current_database(), pg_is_in_recovery(),"
        " CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_insert_lsn() END,"
        " CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_insert_lsn()) END");
    identity.database = state.text(0, 0);
    identity.in_recovery = state.boolean(0, 1);
    if (identity.in_recovery) return identity;
    identity.position = state.lsn(0, 2);
    identity.timeline = timeline_of_wal_file(state.text(0, 3));
    return identity;
}

void require_one_primary(const ServerIdentity &sql, const ServerIdentity &replication) {
    if (sql.in_recovery || replication.in_recovery)
        throw Error(Remedy::reconnect, "the server is a standby, not the primary")
            .with_hint("connect to the primary: name all hosts and set "
                       "target_session_attrs=read-write, or wait for its promotion");
    if (sql.system_identifier.empty())
        throw Error(Remedy::stop, "the role may not ask which server it talks to")
            .with_hint("GRANT EXECUTE ON FUNCTION pg_control_system() TO its role");
    if (sql.system_identifier != replication.system_identifier ||
        sql.timeline != replication.timeline)
        throw Error(Remedy::reconnect,
                    fmt::format("two connections reached two servers: system {} timeline {} by "
                                "SQL, system {} timeline {} by replication",
                                sql.system_identifier, sql.timeline, replication.system_identifier,
                                replication.timeline))
            .with_hint("this passes when a promotion is complete; if it stays, the host name leads "
                       "to different servers");
    if (sql.database != replication.database)
        throw Error(Remedy::configure,
                    fmt::format("SQL and replication reached two databases, {} and {}",
                                sql.database, replication.database))
            .with_hint("a connection pooler between may do that: connect to Postgres directly");
}

} // namespace pgat::replication
