// `check`: the preflight. Runs every check it can, so that one visit to the administrator is enough.
#include "cli/program.hpp"

#include <memory>
#include <optional>

#include "cli/check/checks.hpp"

namespace pgat::cli {

namespace {

std::optional<config::Config> check_configuration(check::Report &report, const Program &program) {
    try {
        config::Config config = load_configuration(program);
        report.ok("config", config.file.empty() ? "from the environment" : config.file);
        return config;
    } catch (const Error &error) {
        report.fail("config", error);
        return std::nullopt;
    }
}

std::optional<postgres::Connection> connect(check::Report &report, const config::Config &config) {
    try {
        auto session = postgres::Connection::open(session_options(config, "check"));
        check::check_connection(report, session);
        return session;
    } catch (const Error &error) {
        report.fail("connection", error);
        return std::nullopt;
    }
}

int run_checks(const Program &program, check::Report &report) {
    const auto config = check_configuration(report, program);
    if (!config) return report.finish();
    report.attempt("plugin", [&] { check::check_plugin(report, config->sink, config->plugins); });
    auto session = connect(report, *config);
    if (!session) return report.finish();

    postgres::Connection &sql = *session;
    const config::Stream &stream = config->stream;
    report.attempt("server", [&] { check::check_server(report, sql); });
    report.attempt("slots", [&] { check::check_capacity(report, sql, stream.slot_name); });
    report.attempt("clock", [&] { check::check_clock(report, sql); });
    report.attempt("privileges", [&] { check::check_privileges(report, sql); });
    report.attempt("replication", [&] {
        check::check_replication_session(report, sql, session_options(*config, "check"));
    });
    report.attempt("slot", [&] { check::check_slot(report, sql, stream); });
    bool schema = false;
    report.attempt("schema", [&] { schema = check::check_schema(report, sql); });
    if (!schema) return report.finish();
    report.attempt("publication", [&] { check::check_publication(report, sql, stream); });
    report.attempt("stream", [&] { check::check_stream(report, sql, stream); });
    report.attempt("partitions", [&] { check::check_partitions(report, sql, stream.partitions); });
    report.attempt("undelivered", [&] { check::check_undelivered(report, sql, stream); });
    report.attempt("triggers", [&] { check::check_triggers(report, sql, stream.id); });
    report.attempt("dead letters", [&] { check::check_dead_letters(report, sql, stream.id); });
    return report.finish();
}

} // namespace

void add_check(Program &program) {
    const auto json = std::make_shared<bool>(false);
    CLI::App &command = add_command(
        program, "check", "Check all that must be right, a line a check; exits 1 on a FAIL",
        [&program, json] {
            check::Report report(*json ? check::Report::Shape::json : check::Report::Shape::lines);
            return run_checks(program, report);
        });
    command.add_flag("--json", *json, "Write a JSON array, an object a check");
}

} // namespace pgat::cli
