#include "outbox/report/stream_report.hpp"

#include "outbox/migrations.hpp"
#include "outbox/report/sections.hpp"
#include "postgres/transaction.hpp"
#include "replication/publication.hpp"

namespace pgat::outbox {

namespace {

using postgres::Connection;

// One section's failure is not the others': a savepoint in a transaction that writes nothing costs nothing.
template <class Read>
void read_section(Connection &connection, StreamReport &report, const char *name, Read read) {
    connection.exec("savepoint section");
    try {
        read();
        connection.exec("release section");
    } catch (const Error &error) {
        if (!connection.usable() || error.sqlstate().empty()) throw;
        connection.exec("rollback to section; release section");
        report.unread.push_back({name, error.what(), error.hint()});
    }
}

void read_tables(Connection &connection, const ReportRequest &request, StreamReport &report) {
    read_section(connection, report, "stream", [&] {
        report.row = report::read_row(connection, request.stream);
        report.other_streams = report::read_other_streams(connection, request.stream);
    });
    read_section(connection, report, "subscriptions", [&] {
        const auto row =
            connection.exec("select count(*), count(distinct (schema_name, table_name)) "
                            "from async_triggers.subscriptions where stream_id = $1",
                            {request.stream});
        report.subscriptions = row.integer(0, 0);
        report.subscribed_tables = row.integer(0, 1);
    });
    read_section(connection, report, "lag", [&] {
        report::read_lag(connection, request.stream, report.row.has_value(), report.lag);
    });
    read_section(connection, report, "partitions",
                 [&] { report.partitions = report::read_partitions(connection, request); });
    read_section(connection, report, "size", [&] {
        const auto bytes = report::read_size(connection);
        if (report.partitions) report.partitions->bytes = bytes;
    });
    read_section(connection, report, "dead letters", [&] {
        report.dead_letters = report::read_dead_letters(connection, request.stream);
    });
}

} // namespace

std::string_view name_of(StreamState state) noexcept {
    switch (state) {
    case StreamState::never_started:
        return "never_started";
    case StreamState::starting:
        return "starting";
    case StreamState::streaming:
        return "streaming";
    case StreamState::failover:
        return "failover";
    case StreamState::away:
        return "away";
    }
    return "away";
}

StreamState StreamReport::state() const noexcept {
    const bool read = slot && slot->slot.active && !slot->slot.being_created();
    if (read) return row && row->outage ? StreamState::failover : StreamState::streaming;
    if (!daemons.empty()) return StreamState::starting;
    const bool ran = row && row->generation > 0;
    return ran ? StreamState::away : StreamState::never_started;
}

StreamReport read_stream_report(Connection &connection, const ReportRequest &request) {
    StreamReport report;
    report.stream = request.stream;
    postgres::Transaction transaction(connection);
    // Read committed would let one section see what the one before did not.
    connection.exec("set transaction isolation level repeatable read, read only");
    // A partition that is just being dropped is no reason to hang; nor is a disk that is slow today.
    transaction.set("lock_timeout", "1s");
    transaction.set("statement_timeout", "20s");
    transaction.set("search_path", "pg_catalog");

    report.server = report::read_server(connection);
    report.slot = report::read_slot(connection, report.server, request.slot_name);
    report.daemons = report::read_daemons(
        connection, request.stream, report.slot ? report.slot->slot.active_pid : std::nullopt);
    report.publication = !connection
                              .exec("select from pg_publication where pubname = $1",
                                    {replication::stream_object_name(request.stream)})
                              .empty();
    if (report.slot && report.slot->slot.confirmed_flush.valid() && !report.slot->slot.invalidated)
        report.lag.bytes = report.server.wal.bytes_since(report.slot->slot.confirmed_flush);
    read_section(connection, report, "schema", [&] {
        const SchemaState state = schema_state(connection);
        report.schema = state.found;
        report.newest_schema = state.newest;
    });
    if (report.schema != 0) read_tables(connection, request, report);
    transaction.commit();
    return report;
}

} // namespace pgat::outbox
