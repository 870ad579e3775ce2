// What of a stream's report somebody should know or mend, with the way to mend it. Pure.
#pragma once

#include <string>
#include <vector>

#include "outbox/report/stream_report.hpp"
#include "outbox/report/subscription_report.hpp"

namespace pgat::outbox {

enum class Severity {
    problem, // events are not delivered, or soon will not be: somebody is needed
    notice,  // mends itself, or can wait
};

struct Finding {
    Severity severity = Severity::problem;
    std::string code; // one word for programs, such as "sink_down"; docs/status.md has them all
    std::string what; // may hold text of the sink's or the server's, of any bytes
    std::vector<std::string> remedy; // sentences; or a statement or command alone on its line
};

// The worst first. `problems` are those of the stream's subscriptions.
std::vector<Finding> findings_of(const StreamReport &report, const ReportRequest &request,
                                 const std::vector<SubscriptionProblem> &problems);

} // namespace pgat::outbox
