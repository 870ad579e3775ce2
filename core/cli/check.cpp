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

struct Choice {
    bool json = false;
    std::int64_t transaction_age = 300;
};

int run_checks(const Program &program, check::Report &report, const Choice &choice) {
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
    report.attempt("transactions",
                   [&] { check::check_transactions(report, sql, choice.transaction_age); });
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
    const auto choice = std::make_shared<Choice>();
    CLI::App &command = add_command(
        program, "check", "Check all that must be right, a line a check; exits 1 on a FAIL",
        [&program, choice] {
            using Shape = check::Report::Shape;
            check::Report report(choice->json ? Shape::json : Shape::lines);
            return run_checks(program, report, *choice);
        });
    command.add_flag("--json", choice->json, "Write a JSON array, an object a check");
    command
        .add_option("--transaction-age", choice->transaction_age,
                    "Warn of transactions that are open for longer; default: 300")
        ->type_name("SECONDS")
        ->check(CLI::NonNegativeNumber);
}

} // namespace pgat::cli
