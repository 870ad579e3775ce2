#include "outbox/capture.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/fault_point.hpp"
#include "postgres/sqlstate.hpp"

namespace pgat::outbox {

namespace {

using Clock = std::chrono::steady_clock;

// A server in recovery hands out no xids and has no WAL insert position: not the primary (any more).
postgres::Result ask_primary(postgres::Connection &connection, const char *sql) {
    try {
        return connection.exec(sql);
    } catch (const Error &error) {
        if (error.sqlstate() != postgres::sqlstate::object_not_in_prerequisite_state) throw;
        throw Error(Remedy::reconnect, error.what()).with_sqlstate(error.sqlstate());
    }
}

// The id handed out last; nobody gets one up to it after this has returned.
EventId last_id(postgres::Connection &connection) {
    // By the function, which locks the sequence's page. A select from the sequence reads the page
    // unlocked, and while nextval() logs, the page holds the value of 32 calls ahead (sequence.c,
    // SEQ_LOG_VALS): a floor made of that would leave out the events that get those ids.
    const auto last = ask_primary(
        connection,
        "select coalesce(pg_sequence_last_value('async_triggers.events_id_seq'::regclass), 0)");
    return EventId(last.integer(0, 0));
}

} // namespace

Capture take_capture(postgres::Connection &connection) {
    // One statement would not do: it takes its snapshot before it evaluates anything, so `seq` and the
    // xid would be younger than the snapshot, and the order of a select list is nobody's promise. One
    // transaction would not do: its own xid, still running, would hold down the snapshot's xmin, and
    // with it every floor. So four autocommit statements, whose order is the order of their promises.
    Capture capture;
    capture.seq = last_id(connection);
    capture.before =
        Xid(ask_primary(connection, "select pg_current_xact_id()").unsigned_integer(0, 0));
    capture.snapshot =
        Snapshot::from_server(ask_primary(connection, "select pg_current_snapshot()").text(0, 0));
    capture.wal = ask_primary(connection, "select pg_current_wal_insert_lsn()").lsn(0, 0);
    fault_point("capture_taken");
    return capture;
}

void wait_until_flushed(postgres::Connection &connection, Lsn position,
                        std::chrono::milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    // The sleep is the server's, so that the wait ends as every wait of the session does.
    const char *look = "select pg_current_wal_flush_lsn()";
    for (;;) {
        if (ask_primary(connection, look).lsn(0, 0) >= position) return;
        if (Clock::now() >= deadline)
            throw Error(Remedy::retry,
                        fmt::format("Postgres has not flushed its WAL up to {}", position))
                .with_hint("the server's disk does not answer; look at its log");
        // Nobody else may ever flush this far: an xid alone is committed without a flush, and the WAL
        // writer writes whole pages and what commits ask for. An empty message in a transaction makes a
        // commit that has written WAL, which flushes (not a non-transactional one: it has no commit).
        // It reaches nobody but slots that ask for messages.
        connection.exec("select pg_logical_emit_message(true, 'async_triggers', '')");
        look = "select pg_current_wal_flush_lsn() from pg_sleep(0.005)";
    }
}

} // namespace pgat::outbox
