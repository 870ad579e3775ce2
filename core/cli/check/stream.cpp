#include <fmt/format.h>

#include "base/quantities.hpp"
#include "cli/check/checks.hpp"
#include "cli/terminal_text.hpp"
#include "outbox/stream_row.hpp"
#include "postgres/sqlstate.hpp"
#include "replication/publication.hpp"
#include "replication/server_identity.hpp"
#include "replication/slot.hpp"
#include "replication/slot_creation.hpp"
#include "replication/stream.hpp"

namespace pgat::cli::check {

namespace {

constexpr std::int64_t much_wal = std::int64_t{1} << 30;

std::int64_t wal_held(postgres::Connection &sql, const replication::Slot &slot) {
    if (!slot.restart.valid()) return 0;
    return sql
        .exec("SELECT CASE WHEN pg_is_in_recovery() THEN 0 ELSE "
              "pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::pg_lsn)::bigint END",
              {slot.restart})
        .integer(0, 0);
}

void tell_creation(Report &report, postgres::Connection &sql, const replication::Slot &slot) {
    std::vector<std::string> waits;
    for (const auto &blocker : replication::creation_waits_for(sql, slot.name))
        waits.push_back(blocker.text());
    report.warn(
        "slot",
        fmt::format("{} is being created{}", slot.name, waits.empty() ? "" : ", and waits for:"),
        waits);
}

// As json, so that a schema will do which does not tell as much yet.
constexpr auto stream_row =
    "SELECT status, generation, failover_checkpoint_id, row ->> 'failover_reason', "
    "row ->> 'failover_waiting', "
    "extract(epoch FROM now() - (row ->> 'failover_since')::timestamptz)::bigint, "
    "extract(epoch FROM (row ->> 'next_attempt_at')::timestamptz - now())::bigint "
    "FROM (SELECT status, generation, failover_checkpoint_id, to_jsonb(streams) AS row "
    "FROM async_triggers.streams WHERE id = $1) _";
enum Column { status, generation, first, reason, waiting, lasts, next_attempt };

// A call that the sink does not answer may take its time.
constexpr std::int64_t late = 120;

std::string attempt_text(std::int64_t in_seconds) {
    if (in_seconds < -late)
        return fmt::format("the next attempt was due {} ago", duration_text(-in_seconds));
    return in_seconds > 0 ? fmt::format("next attempt in {}", duration_text(in_seconds))
                          : "next attempt now";
}

void tell_failover(Report &report, const postgres::Result &row, StreamId stream) {
    std::string found = fmt::format("{}: in failover", stream);
    // Of an older schema no more than the first event is known.
    const bool told = !row.null(0, lasts);
    const bool back = told && row.null(0, next_attempt);
    if (told) found += " for " + duration_text(row.integer(0, lasts));
    found += back ? ", the sink is back and is given what waits" : ", the sink is down";
    if (!back && !row.null(0, reason)) found += ": " + printable(row.text(0, reason));
    if (!row.null(0, waiting)) found += fmt::format("; {} events wait", row.text(0, waiting));
    if (!row.null(0, first))
        found += fmt::format("; undelivered from event {}", row.text(0, first));
    std::vector<std::string> mend;
    if (told && !back) {
        const auto in_seconds = row.integer(0, next_attempt);
        found += "; " + attempt_text(in_seconds);
        if (in_seconds < -late) mend.emplace_back("see to the daemon: it does not run, or hangs");
    }
    mend.emplace_back(back
                          ? "nothing to do: the stream goes on by itself when they are delivered"
                          : "see to the sink; the daemon goes on by itself, nothing is lost and no "
                            "WAL is held meanwhile");
    report.warn("stream", found, mend);
}

} // namespace

void check_replication_session(Report &report, postgres::Connection &sql,
                               const postgres::SessionOptions &options) {
    try {
        auto session = postgres::Connection::open(replication::replication_session(options));
        const auto other = replication::identify_replication(session);
        const auto ours = replication::identify_sql(sql);
        replication::require_one_primary(ours, other);
        report.ok("replication", fmt::format("a session opens; timeline {}", other.timeline));
    } catch (const Error &error) {
        if (error.sqlstate() != postgres::sqlstate::insufficient_privilege) throw;
        report.fail("replication", "the role may not open a replication session",
                    {"see privileges: it needs REPLICATION"});
    }
}

void check_publication(Report &report, postgres::Connection &sql, const config::Stream &stream) {
    const std::string name = replication::stream_object_name(stream.id);
    switch (replication::inspect_publication(sql, stream.id)) {
    case replication::PublicationState::right:
        return report.ok("publication", name);
    case replication::PublicationState::created:
        if (!replication::find_slot(sql, stream.slot_name))
            return report.ok("publication", name + " is not there yet: the daemon creates it");
        return report.warn("publication", name + " is missing though its slot is there",
                           {"nothing to do: at its next start the daemon creates it, replaces the "
                            "slot and delivers from the table what was missed"});
    case replication::PublicationState::mended:
        return report.warn(
            "publication", name + " is not as the daemon made it",
            {"nothing to do: at its next start the daemon mends it, replaces the slot "
             "and delivers from the table what was missed"});
    }
}

void check_slot(Report &report, postgres::Connection &sql, const config::Stream &stream) {
    const auto slot = replication::find_slot(sql, stream.slot_name);
    if (!slot)
        return report.ok("slot",
                         stream.slot_name + " is not there: the daemon creates it when it starts");
    const auto database = sql.exec("SELECT current_database()");
    replication::require_ours(*slot, database.text(0, 0));
    if (slot->being_created()) return tell_creation(report, sql, *slot);
    if (slot->invalidated)
        return report.warn(
            "slot", fmt::format("{} is invalidated ({})", slot->name, slot->invalidation_reason),
            {"nothing to do: the daemon replaces it and delivers from the table what was missed"});
    const std::int64_t held = wal_held(sql, *slot);
    if (slot->active)
        return report.ok("slot",
                         fmt::format("{} is read by a daemon{}; it holds {} of WAL", slot->name,
                                     slot->active_pid
                                         ? fmt::format(" (server process {})", *slot->active_pid)
                                         : "",
                                     size_text(held)));
    const std::string found =
        fmt::format("{} is read by nobody and holds {} of WAL", slot->name, size_text(held));
    if (held < much_wal) return report.ok("slot", found);
    report.warn(
        "slot", found,
        {"start the daemon, or, if this stream has ended: postgres-async-triggers teardown"});
}

void check_stream(Report &report, postgres::Connection &sql, const config::Stream &stream) {
    const auto server = replication::identify_sql(sql);
    if (!server.in_recovery && !server.system_identifier.empty())
        if (const auto known = outbox::load_stream_row(sql, stream.id))
            outbox::require_written_here(*known,
                                         {server.system_identifier, server.timeline.value()});
    const auto row = sql.exec(stream_row, {stream.id});
    if (row.empty() || row.integer(0, generation) == 0)
        return report.ok("stream", fmt::format("{}: no daemon has run it yet", stream.id));
    if (row.text(0, status) == "streaming")
        return report.ok("stream", fmt::format("{}: streaming", stream.id));
    tell_failover(report, row, stream.id);
}

} // namespace pgat::cli::check
