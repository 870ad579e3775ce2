#include "replication/slot_creation.hpp"

#include <cmath>

#include <fmt/format.h>

#include "base/fault_point.hpp"
#include "postgres/sqlstate.hpp"

namespace pgat::replication {

namespace {

namespace sqlstate = postgres::sqlstate;

// Sets a session's answer timeout for a while.
class Patience {
  public:
    Patience(postgres::Connection &session, std::chrono::milliseconds timeout)
        : session_(session), usual_(session.answer_timeout()) {
        session_.answer_within(timeout);
    }
    ~Patience() { session_.answer_within(usual_); }
    Patience(const Patience &) = delete;
    Patience &operator=(const Patience &) = delete;

  private:
    postgres::Connection &session_;
    std::chrono::milliseconds usual_;
};

// The server or a provider's rules do not let this role have a failover slot.
bool refuses_failover(const Error &error) {
    const auto &code = error.sqlstate();
    return code == sqlstate::insufficient_privilege || code == "0A000" || // feature_not_supported
           code == "22023" ||                                             // invalid_parameter_value
           code == "42601";                                               // syntax_error
}

// `decodes`: wal_level is logical.
Error explained(const Error &error, bool decodes) {
    const auto &code = error.sqlstate();
    auto remedy = error.remedy();
    auto hint = error.hint();
    if (code == sqlstate::duplicate_object) {
        remedy = Remedy::recover;
    } else if (code == sqlstate::insufficient_privilege) {
        remedy = Remedy::stop;
        hint = "ALTER ROLE … REPLICATION for the role of stream.pg_connection";
    } else if (code == sqlstate::object_not_in_prerequisite_state && !decodes) {
        remedy = Remedy::stop;
        hint = "set wal_level = logical in postgresql.conf and restart Postgres";
    } else if (code == sqlstate::configuration_limit_exceeded) {
        hint = "drop a replication slot that nobody needs, or raise max_replication_slots";
    } else if (code == sqlstate::query_canceled) {
        remedy = Remedy::reconnect;
    }
    return Error(remedy, error.what()).with_sqlstate(code).with_hint(hint);
}

CreatedSlot create(postgres::Connection &replication, std::string_view name, bool failover) {
    fault_point("slot_creating");
    const auto created = replication.exec(
        fmt::format("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput (SNAPSHOT 'export'{})",
                    replication.quote_identifier(name), failover ? ", FAILOVER true" : ""));
    fault_point("slot_created");
    return {created.lsn(0, 1), std::string(created.text(0, 2)), failover};
}

} // namespace

CreatedSlot create_slot(postgres::Connection &replication, std::string_view name) {
    const Patience patience(replication, std::chrono::milliseconds(0));
    const bool failover = replication.server_version() >= 170000;
    try {
        // It would end the wait, and the transaction that holds the snapshot.
        if (failover) replication.exec("SET transaction_timeout = 0");
        try {
            return create(replication, name, failover);
        } catch (const Error &error) {
            if (!failover || !refuses_failover(error)) throw;
            return create(replication, name, false);
        }
    } catch (const Error &error) {
        // The server would go on waiting and hold the name: it does not look at the socket meanwhile.
        if (error.remedy() == Remedy::interrupted) replication.cancel();
        const bool decodes = !replication.usable() ||
                             error.sqlstate() != sqlstate::object_not_in_prerequisite_state ||
                             replication.exec("SHOW wal_level").text(0, 0) == "logical";
        throw explained(error, decodes);
    }
}

std::string read_exported_snapshot(postgres::Connection &sql, std::string_view snapshot_name) {
    try {
        sql.exec("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
        sql.exec("SET TRANSACTION SNAPSHOT " + sql.quote_literal(snapshot_name));
        // xmax is the last commit that the server's decoder saw, plus one; xmin, all below which had ended, can
        // be beyond it where the last transactions were rolled back. Who is below xmin is seen: as pg_snapshot
        // wants it written, "xmin:xmin:".
        auto snapshot =
            std::string(sql.exec("SELECT CASE WHEN pg_snapshot_xmin(s) > pg_snapshot_xmax(s)"
                                 " THEN format('%1$s:%1$s:', pg_snapshot_xmin(s)) ELSE s::text END"
                                 " FROM pg_current_snapshot() s")
                            .text(0, 0));
        sql.exec("ROLLBACK");
        return snapshot;
    } catch (const Error &) {
        if (sql.usable()) sql.exec("ROLLBACK");
        throw;
    }
}

std::string Blocker::text() const {
    const auto since =
        seconds_open ? fmt::format(", open for {:.0f} s", std::floor(*seconds_open)) : "";
    if (!prepared_as.empty())
        return fmt::format(
            "prepared transaction '{0}' of {1} in database {2}{3} (end it there with "
            "COMMIT PREPARED '{0}' or ROLLBACK PREPARED '{0}')",
            prepared_as, user, database, since);
    return fmt::format("transaction {} of {} in database {}, process {}{}{}", xid, user, database,
                       pid.value_or(0), application.empty() ? "" : " (" + application + ")", since);
}

std::vector<Blocker> creation_waits_for(postgres::Connection &sql, std::string_view name) {
    const auto found = sql.exec(
        "SELECT waiting.transactionid, holder.pid, coalesce(prepared.gid, ''),"
        " coalesce(prepared.owner, activity.usename, ''),"
        " coalesce(prepared.database, activity.datname, ''),"
        " coalesce(activity.application_name, ''),"
        " (extract(epoch from clock_timestamp()"
        "  - coalesce(prepared.prepared, activity.xact_start)) * 1000)::bigint"
        " FROM pg_replication_slots slot"
        " JOIN pg_locks waiting ON waiting.pid = slot.active_pid AND NOT waiting.granted"
        "  AND waiting.locktype = 'transactionid'"
        " JOIN pg_locks holder ON holder.transactionid = waiting.transactionid AND holder.granted"
        "  AND holder.locktype = 'transactionid' AND holder.mode = 'ExclusiveLock'"
        " LEFT JOIN pg_stat_activity activity ON activity.pid = holder.pid"
        " LEFT JOIN pg_prepared_xacts prepared ON prepared.transaction = waiting.transactionid"
        " WHERE slot.slot_name = $1 AND slot.slot_type = 'logical'"
        "  AND slot.confirmed_flush_lsn IS NULL",
        {name});
    std::vector<Blocker> blockers;
    for (int row = 0; row < found.rows(); ++row) {
        Blocker blocker;
        blocker.xid = found.text(row, 0);
        if (!found.null(row, 1)) blocker.pid = static_cast<int>(found.integer(row, 1));
        blocker.prepared_as = found.text(row, 2);
        blocker.user = found.text(row, 3);
        blocker.database = found.text(row, 4);
        blocker.application = found.text(row, 5);
        if (!found.null(row, 6))
            blocker.seconds_open = static_cast<double>(found.integer(row, 6)) / 1000;
        blockers.push_back(std::move(blocker));
    }
    return blockers;
}

bool cancel_orphaned_creation(postgres::Connection &sql, std::string_view name) {
    return !sql.exec("SELECT pg_terminate_backend(creator.pid)"
                     " FROM pg_replication_slots slot"
                     " JOIN pg_stat_activity creator ON creator.pid = slot.active_pid"
                     " WHERE slot.slot_name = $1 AND slot.slot_type = 'logical'"
                     "  AND slot.confirmed_flush_lsn IS NULL AND creator.application_name <> ''"
                     "  AND NOT EXISTS (SELECT FROM pg_stat_activity other"
                     "   WHERE other.application_name = creator.application_name"
                     "    AND other.backend_type = 'client backend')",
                     {name})
                .empty();
}

} // namespace pgat::replication
