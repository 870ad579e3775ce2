// `status`: a stream at a glance, whether its daemon runs or not.
#include "cli/program.hpp"

#include <memory>

#include <fmt/format.h>

#include "cli/finding_text.hpp"
#include "cli/status/overview.hpp"
#include "outbox/report/report_json.hpp"

namespace pgat::cli {

namespace {

struct Looked {
    outbox::StreamReport report;
    std::vector<outbox::Finding> findings;
};

Looked look(const config::Config &config) {
    auto sql = postgres::Connection::open(session_options(config, "status"));
    const config::Stream &stream = config.stream;
    const outbox::ReportRequest request{stream.id, stream.slot_name, stream.partitions.days_ahead,
                                        stream.partitions.retention_days,
                                        stream.partitions.drop_undelivered};
    Looked looked{outbox::read_stream_report(sql, request), {}};
    outbox::StreamReport &report = looked.report;
    std::vector<outbox::SubscriptionProblem> problems;
    const bool readable = report.schema != 0 && report.schema == report.newest_schema;
    if (readable && !report.server.in_recovery) {
        try {
            problems = outbox::read_subscription_problems(sql, stream.id);
        } catch (const Error &error) {
            report.unread.push_back({"triggers", error.what(), error.hint()});
        }
    }
    looked.findings = outbox::findings_of(report, request, problems);
    return looked;
}

// Nothing can be told of the stream, but for why.
int tell_unreachable(const config::Config &config, const Error &error, bool json) {
    std::vector<std::string> remedy;
    if (!error.hint().empty()) remedy.push_back(error.hint());
    const std::vector<outbox::Finding> findings = {
        {outbox::Severity::problem, "unreachable", error.what(), remedy}};
    if (json) {
        nlohmann::ordered_json object = {{"stream_id", config.stream.id.value()},
                                         {"state", "unreachable"},
                                         {"healthy", false},
                                         {"findings", outbox::to_json(findings)}};
        fmt::print("{}\n", outbox::dump(object));
        return failed;
    }
    status::print(findings);
    fmt::print("stream {}: the daemon connects with this configuration too\n", config.stream.id);
    return failed;
}

int show(const config::Config &config, bool json) {
    try {
        const Looked looked = look(config);
        if (json)
            fmt::print("{}\n", outbox::dump(outbox::to_json(looked.report, looked.findings)));
        else
            status::print(looked.report, looked.findings);
        return done;
    } catch (const Error &error) {
        if (error.remedy() == Remedy::configure) throw;
        return tell_unreachable(config, error, json);
    }
}

} // namespace

void add_status(Program &program) {
    const auto json = std::make_shared<bool>(false);
    CLI::App &command =
        add_command(program, "status", "Show the stream at a glance, and what is wrong with it",
                    [&program, json] { return show(load_configuration(program), *json); });
    command.add_flag("--json", *json, "Write a JSON object");
    command.footer("It asks the database, so it works whether the daemon runs or not.\n"
                   "Exit status: 0 the stream was looked at (\"healthy\" of --json tells how it\n"
                   "is), 1 it could not be, 2 bad arguments or configuration.");
}

} // namespace pgat::cli
