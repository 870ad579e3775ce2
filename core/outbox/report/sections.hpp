// The statements of a stream's report, a function a section. Within its transaction.
#pragma once

#include "outbox/report/stream_report.hpp"

namespace pgat::outbox::report {

ServerReport read_server(postgres::Connection &connection);
// Sees to columns that an older schema does not have.
std::optional<StreamRowReport> read_row(postgres::Connection &connection, StreamId stream);
std::vector<StreamId> read_other_streams(postgres::Connection &connection, StreamId stream);
std::optional<SlotReport> read_slot(postgres::Connection &connection, const ServerReport &server,
                                    std::string_view name);
std::vector<DaemonReport> read_daemons(postgres::Connection &connection, StreamId stream,
                                       std::optional<int> slot_reader);
// Adds what the table says.
void read_lag(postgres::Connection &connection, StreamId stream, bool has_row, Lag &lag);
PartitionsReport read_partitions(postgres::Connection &connection, const ReportRequest &request);
std::int64_t read_size(postgres::Connection &connection);
DeadLettersReport read_dead_letters(postgres::Connection &connection, StreamId stream);

} // namespace pgat::outbox::report
