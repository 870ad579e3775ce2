#include "replication/slot.hpp"

#include <fmt/format.h>

#include "base/fault_point.hpp"
#include "postgres/sqlstate.hpp"

namespace pgat::replication {

namespace {

// The columns came with the versions: conflicting in 16, invalidation_reason and failover in 17.
std::string slot_query(int server_version) {
    const bool has_conflicting = server_version >= 160000;
    const bool has_reason = server_version >= 170000;
    return fmt::format(
        "SELECT slot_type, coalesce(plugin::text, ''), coalesce(database::text, ''), temporary,"
        " active, active_pid, coalesce(confirmed_flush_lsn, '0/0'), coalesce(restart_lsn, '0/0'),"
        " coalesce(wal_status, ''), safe_wal_size, two_phase, {}, {}, {}"
        " FROM pg_replication_slots WHERE slot_name = $1",
        has_conflicting ? "coalesce(conflicting, false)" : "false",
        has_reason ? "coalesce(invalidation_reason, '')" : "''", has_reason ? "failover" : "false");
}

std::string ways_out(const Slot &slot) {
    return fmt::format("give this stream's slot another name (stream.slot_name), or, if nobody "
                       "needs it, drop it: SELECT pg_drop_replication_slot('{}')",
                       slot.name);
}

} // namespace

std::optional<Slot> find_slot(postgres::Connection &sql, std::string_view name) {
    const auto found = sql.exec(slot_query(sql.server_version()), {name});
    if (found.empty()) return std::nullopt;
    Slot slot;
    slot.name = name;
    slot.slot_type = found.text(0, 0);
    slot.plugin = found.text(0, 1);
    slot.database = found.text(0, 2);
    slot.temporary = found.boolean(0, 3);
    slot.active = found.boolean(0, 4);
    if (!found.null(0, 5)) slot.active_pid = static_cast<int>(found.integer(0, 5));
    slot.confirmed_flush = found.lsn(0, 6);
    slot.restart = found.lsn(0, 7);
    slot.wal_status = found.text(0, 8);
    if (!found.null(0, 9)) slot.safe_wal_size = found.integer(0, 9);
    slot.two_phase = found.boolean(0, 10);
    const bool conflicting = found.boolean(0, 11);
    slot.invalidation_reason = found.text(0, 12);
    slot.failover = found.boolean(0, 13);
    slot.invalidated =
        slot.wal_status == "lost" || conflicting || !slot.invalidation_reason.empty();
    if (slot.invalidated && slot.invalidation_reason.empty())
        slot.invalidation_reason = slot.wal_status == "lost" ? slot.wal_status : "conflicting";
    return slot;
}

void require_ours(const Slot &slot, std::string_view database) {
    const auto refuse = [&](const std::string &what) {
        throw Error(Remedy::stop,
                    fmt::format("the replication slot {} is not ours: {}", slot.name, what))
            .with_hint(ways_out(slot));
    };
    if (slot.slot_type != "logical") refuse("it is a physical slot");
    if (slot.database != database) refuse(fmt::format("it belongs to database {}", slot.database));
    if (slot.plugin != "pgoutput")
        refuse(fmt::format("it decodes with plugin {}, not pgoutput", slot.plugin));
    if (slot.two_phase) refuse("it decodes prepared transactions (two_phase)");
    if (slot.temporary)
        throw Error(Remedy::retry,
                    fmt::format("the replication slot {} is a temporary one of process {}",
                                slot.name, slot.active_pid.value_or(0)))
            .with_hint("it goes away with its session; else set another stream.slot_name");
}

void drop_slot(postgres::Connection &sql, std::string_view name) {
    try {
        fault_point("slot_dropping");
        sql.exec("SELECT pg_drop_replication_slot($1)", {name});
        fault_point("slot_dropped");
    } catch (const Error &error) {
        if (error.sqlstate() == postgres::sqlstate::undefined_object) return;
        if (error.sqlstate() != postgres::sqlstate::insufficient_privilege) throw;
        throw Error(Remedy::stop, error.what())
            .with_sqlstate(error.sqlstate())
            .with_hint("ALTER ROLE … REPLICATION for the role of stream.pg_connection");
    }
}

} // namespace pgat::replication
