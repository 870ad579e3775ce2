#include <chrono>

#include <fmt/format.h>

#include "cli/check/checks.hpp"
#include "cli/check/provider.hpp"

namespace pgat::cli::check {

namespace {

void check_version(Report &report, postgres::Connection &sql) {
    constexpr int oldest = 150000;
    constexpr int newest_known = 189999;
    const auto row = sql.exec("SELECT current_setting('server_version'), pg_is_in_recovery()");
    std::string version = fmt::format("Postgres {}", row.text(0, 0));
    if (const auto provider = name_of(provider_of(sql)); !provider.empty())
        version += fmt::format(" of {}", provider);
    if (row.boolean(0, 1))
        report.fail("server", version + " is a standby, which takes no writes",
                    {"point stream.pg_connection at the primary"});
    else if (sql.server_version() < oldest)
        report.fail("server", version + " is too old",
                    {"upgrade the server to Postgres 15 or later"});
    else if (sql.server_version() > newest_known)
        report.warn("server",
                    version + " is newer than what this version was tested with (15 to 18)");
    else
        report.ok("server", version);
}

void check_wal_level(Report &report, postgres::Connection &sql) {
    const auto row = sql.exec("SELECT current_setting('wal_level')");
    const std::string level(row.text(0, 0));
    if (level == "logical") return report.ok("wal_level", level);
    const Provider provider = provider_of(sql);
    std::vector<std::string> mend = {enable_logical(provider)};
    if (provider == Provider::none)
        mend.emplace_back("then restart Postgres (a managed one: docs/managed-postgres.md)");
    report.fail("wal_level", fmt::format("is {}, must be logical", level), mend);
}

void check_keep_size(Report &report, postgres::Connection &sql) {
    const auto row = sql.exec("SELECT setting::bigint, current_setting('max_slot_wal_keep_size') "
                              "FROM pg_settings WHERE name = 'max_slot_wal_keep_size'");
    if (row.integer(0, 0) >= 0) return report.ok("max_slot_wal_keep_size", row.text(0, 1));
    const Provider provider = provider_of(sql);
    report.warn(
        "max_slot_wal_keep_size",
        "is unlimited: while the daemon is away, its slot holds WAL until the disk is full",
        {set_parameter(provider, "max_slot_wal_keep_size",
                       provider == Provider::none ? "10GB" : "10240") +
             (provider == Provider::none ? " SELECT pg_reload_conf();" : ""),
         "should our slot be lost by it: the events are in the table, and are delivered from "
         "there"});
}

} // namespace

void check_connection(Report &report, postgres::Connection &sql) {
    const auto row =
        sql.exec("SELECT coalesce(host(inet_server_addr()) || ':' || inet_server_port(), "
                 "'a local socket'), current_database(), current_user, "
                 "coalesce((SELECT version FROM pg_stat_ssl "
                 "WHERE pid = pg_backend_pid() AND ssl), 'not encrypted')");
    report.ok("connection", fmt::format("database {} at {} as {}, {}", row.text(0, 1),
                                        row.text(0, 0), row.text(0, 2), row.text(0, 3)));
}

void check_server(Report &report, postgres::Connection &sql) {
    check_version(report, sql);
    check_wal_level(report, sql);
    check_keep_size(report, sql);
}

void check_capacity(Report &report, postgres::Connection &sql, const std::string &slot_name) {
    const auto row =
        sql.exec("SELECT current_setting('max_replication_slots')::bigint, "
                 "current_setting('max_wal_senders')::bigint, "
                 "(SELECT count(*) FROM pg_replication_slots), "
                 "(SELECT count(*) FROM pg_stat_replication), "
                 "EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1), "
                 "EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1 AND active)",
                 {slot_name});
    const auto most_slots = row.integer(0, 0);
    const auto most_senders = row.integer(0, 1);
    const auto slots = row.integer(0, 2);
    const auto senders = row.integer(0, 3);
    const bool have_slot = row.boolean(0, 4);
    const bool have_sender = row.boolean(0, 5);
    if (slots < most_slots || have_slot)
        report.ok("slots", fmt::format("{} of {} in use{}", slots, most_slots,
                                       have_slot ? ", one of them ours" : ""));
    else
        report.fail("slots", fmt::format("all {} replication slots are taken", most_slots),
                    {set_parameter(provider_of(sql), "max_replication_slots",
                                   std::to_string(most_slots + 5)),
                     "then restart Postgres; or drop slots that nobody needs: "
                     "SELECT slot_name, active FROM pg_replication_slots;"});
    if (senders < most_senders || have_sender)
        report.ok("senders", fmt::format("{} of {} WAL senders in use{}", senders, most_senders,
                                         have_sender ? ", one of them ours" : ""));
    else
        report.fail(
            "senders", fmt::format("all {} WAL senders are in use", most_senders),
            {set_parameter(provider_of(sql), "max_wal_senders", std::to_string(most_senders + 5)),
             "then restart Postgres"});
}

void check_clock(Report &report, postgres::Connection &sql) {
    using namespace std::chrono;
    const auto before = system_clock::now();
    const auto row = sql.exec("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint");
    const auto middle = before + (system_clock::now() - before) / 2;
    const auto skew =
        duration_cast<milliseconds>(middle.time_since_epoch()).count() - row.integer(0, 0);
    if (skew < 5000 && skew > -5000) return report.ok("clock", "server and this machine agree");
    report.warn(
        "clock",
        fmt::format("this machine is {:.1f} s {} the server",
                    static_cast<double>(skew < 0 ? -skew : skew) / 1000,
                    skew < 0 ? "behind" : "ahead of"),
        {"synchronize both with NTP (timedatectl): lag and ages are shown wrong until then"});
}

} // namespace pgat::cli::check
