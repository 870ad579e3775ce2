// The checks of `check`. Each looks at one thing, changes nothing that stays, and tells the report; what it
// cannot find out it throws as Error.
#pragma once

#include "base/identifiers.hpp"
#include "cli/check/report.hpp"
#include "config/config.hpp"
#include "postgres/connection.hpp"

namespace pgat::cli::check {

// The plugin loads, takes the configuration under `sink`, and is asked whether it can deliver; in a process of its
// own, with limits, so that neither a crash nor a hang of it is ours.
void check_plugin(Report &report, const config::Sink &sink, const config::Plugins &plugins);

// Which server that is, and whether the way to it is encrypted.
void check_connection(Report &report, postgres::Connection &sql);
// Version, primary or standby, wal_level, how much WAL a slot may hold.
void check_server(Report &report, postgres::Connection &sql);
// A slot and a WAL sender for us.
void check_capacity(Report &report, postgres::Connection &sql, const std::string &slot_name);
// The two machines agree about the time.
void check_clock(Report &report, postgres::Connection &sql);

// No transaction is open for longer than so many seconds: it gets in the way.
void check_transactions(Report &report, postgres::Connection &sql, std::int64_t seconds);

// Everything that the role lacks, with the statements that grant it.
void check_privileges(Report &report, postgres::Connection &sql);

// A replication session can be opened, and leads to the same server as SQL.
void check_replication_session(Report &report, postgres::Connection &sql,
                               const postgres::SessionOptions &options);
void check_publication(Report &report, postgres::Connection &sql, const config::Stream &stream);
void check_slot(Report &report, postgres::Connection &sql, const config::Stream &stream);
// Written by this program on this server, and no dump of another; streaming, or in failover: why, for how long, how many events wait, when the sink is tried again.
void check_stream(Report &report, postgres::Connection &sql, const config::Stream &stream);

// The schema's version. False: there is none to look into.
bool check_schema(Report &report, postgres::Connection &sql);
// Partitions for the coming days; rows that fell into the default one.
void check_partitions(Report &report, postgres::Connection &sql,
                      const config::Partitions &partitions);
// No stream of the database has events that wait for half of the retention time.
void check_undelivered(Report &report, postgres::Connection &sql, const config::Stream &stream);
// Every subscription has its trigger, enabled, and would still be accepted: its table, columns and
// expressions are there.
void check_triggers(Report &report, postgres::Connection &sql, StreamId stream);
void check_dead_letters(Report &report, postgres::Connection &sql, StreamId stream);

} // namespace pgat::cli::check
