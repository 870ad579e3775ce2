#include "replication/publication.hpp"

#include <fmt/format.h>

#include "base/fault_point.hpp"
#include "postgres/sqlstate.hpp"

namespace pgat::replication {

namespace {

// Written the way Postgres prints the parsed filter, so that the two can be compared.
std::string row_filter(StreamId stream) {
    return fmt::format("(stream_id = '{}'::bigint)", stream);
}

void require_events_table(postgres::Connection &sql) {
    if (!sql.exec("SELECT to_regclass('async_triggers.events')").null(0, 0)) return;
    throw Error(Remedy::stop, "table async_triggers.events does not exist in this database")
        .with_hint("apply the migrations: postgres-async-triggers migrate");
}

Error explained(const Error &error, postgres::Connection &sql) {
    if (error.sqlstate() != postgres::sqlstate::insufficient_privilege) return error;
    return Error(Remedy::stop, error.what())
        .with_sqlstate(error.sqlstate())
        .with_hint(fmt::format(
            "the role needs CREATE on database {0} (GRANT CREATE ON DATABASE {0} TO role), and to "
            "own async_triggers.events and the publication",
            sql.quote_identifier(PQdb(sql.handle()))));
}

} // namespace

std::string stream_object_name(StreamId stream) {
    return fmt::format("async_triggers_stream_{}", stream);
}

PublicationState inspect_publication(postgres::Connection &sql, StreamId stream) {
    require_events_table(sql);
    const auto found = sql.exec(
        "SELECT pubinsert AND NOT (pubupdate OR pubdelete OR pubtruncate OR puballtables)"
        " AND pubviaroot"
        " AND NOT EXISTS (SELECT FROM pg_publication_namespace WHERE pnpubid = p.oid)"
        " AND (SELECT count(*) = 1 AND bool_and(prrelid = 'async_triggers.events'::regclass"
        "   AND prattrs IS NULL AND coalesce(pg_get_expr(prqual, prrelid), '') = $2)"
        "  FROM pg_publication_rel WHERE prpubid = p.oid)"
        " FROM pg_publication p WHERE pubname = $1",
        {stream_object_name(stream), row_filter(stream)});
    if (found.empty()) return PublicationState::created;
    return found.boolean(0, 0) ? PublicationState::right : PublicationState::mended;
}

PublicationState ensure_publication(postgres::Connection &sql, StreamId stream) {
    const auto name = stream_object_name(stream);
    try {
        // Mostly there is nothing to do, and then no lock to hold.
        if (inspect_publication(sql, stream) == PublicationState::right)
            return PublicationState::right;
        sql.exec("BEGIN");
        // Another daemon on the same errand waits here, and then finds it done.
        sql.exec("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", {name});
        const auto state = inspect_publication(sql, stream);
        if (state != PublicationState::right) {
            const auto quoted = sql.quote_identifier(name);
            if (state == PublicationState::mended) sql.exec("DROP PUBLICATION " + quoted);
            sql.exec(fmt::format("CREATE PUBLICATION {} FOR TABLE async_triggers.events WHERE {} "
                                 "WITH (publish = 'insert', publish_via_partition_root = true)",
                                 quoted, row_filter(stream)));
        }
        fault_point("publication_ensuring");
        sql.exec("COMMIT");
        fault_point("publication_ensured");
        return state;
    } catch (const Error &error) {
        if (sql.usable()) sql.exec("ROLLBACK");
        throw explained(error, sql);
    }
}

void drop_publication(postgres::Connection &sql, StreamId stream) {
    try {
        sql.exec("DROP PUBLICATION IF EXISTS " + sql.quote_identifier(stream_object_name(stream)));
    } catch (const Error &error) {
        throw explained(error, sql);
    }
}

} // namespace pgat::replication
