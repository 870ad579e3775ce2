#include "daemon/status/live_findings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/quantities.hpp"
#include "base/wall_clock.hpp"
#include "postgres/sqlstate.hpp"

namespace pgat::daemon {

namespace {

using outbox::Finding;
using outbox::Severity;
namespace sqlstate = postgres::sqlstate;

constexpr double an_hour = 3600;

std::string ago(Timestamp time, Timestamp now) {
    const auto seconds = static_cast<std::int64_t>(std::max(seconds_between(time, now), 0.0));
    return duration_text(seconds);
}

Finding session_trouble(const Readings &now, const std::string &server) {
    const Trouble &trouble = *now.view.trouble;
    const bool password = trouble.sqlstate == sqlstate::invalid_password;
    const bool login = trouble.sqlstate == sqlstate::invalid_authorization;
    Finding finding{Severity::problem, "postgres_away", "", {}};
    if (password || login) {
        finding.code = password ? "wrong_password" : "login_refused";
        finding.what = fmt::format("Postgres refuses the {} of this daemon ({}): {}",
                                   password ? "password" : "login", server, trouble.what);
    } else {
        finding.what =
            fmt::format("there is no session with Postgres ({}): {}", server, trouble.what);
    }
    if (!trouble.hint.empty()) finding.remedy.push_back(trouble.hint);
    if (password)
        finding.remedy.emplace_back("the password stands in stream.pg_connection: password, "
                                    "password_file or uri; restart the daemon after a change");
    finding.remedy.emplace_back("the daemon tries again by itself, at least every ten seconds; no "
                                "event is lost meanwhile");
    return finding;
}

Finding sink_down(const Readings &now) {
    const auto &outage = *now.view.outage;
    std::string what = "the sink is down";
    if (now.view.failover_since) what += " for " + ago(*now.view.failover_since, now.now);
    if (outage.reason && !outage.reason->empty()) what += ": " + *outage.reason;
    if (outage.waiting > 0)
        what += fmt::format("; {} wait{} in the table",
                            count_text(static_cast<std::int64_t>(outage.waiting), "event"),
                            outage.waiting == 1 ? "s" : "");
    const double left = seconds_between(now.now, *outage.next_attempt);
    return {
        Severity::problem,
        "sink_down",
        what,
        {fmt::format("see to the sink: the daemon tries it again {} and goes on by itself; no "
                     "event is lost, and no WAL is held meanwhile",
                     left >= 1 ? "in " + duration_text(static_cast<std::int64_t>(left)) : "now")}};
}

Finding catching_up(const Readings &now) {
    const auto waiting = now.waiting();
    return {Severity::notice,
            "catching_up",
            waiting > 0 ? fmt::format("the sink was down and is back: {} are delivered from the "
                                      "table",
                                      count_text(waiting, "event"))
                        : "the sink was down and is back: what waited is delivered from the table",
            {"nothing to do: the stream goes on by itself when all is delivered"}};
}

Finding slot_replaced(const Readings &now) {
    const auto &replaced = *now.view.slot_replaced;
    return {Severity::notice,
            "slot_replaced",
            fmt::format("the replication slot was lost {} ago, and replaced: {}",
                        ago(replaced.at, now.now), replaced.reason),
            {"no event is lost: what the slot had is delivered from the table",
             "if it happens again: raise max_slot_wal_keep_size, and look in Postgres's log for "
             "who drops or invalidates the slot"}};
}

// Of the database's findings those that the daemon knows better.
bool known_better(const Finding &finding) {
    return finding.code == "sink_down" || finding.code == "catching_up" ||
           finding.code == "daemon_away" || finding.code == "starting" ||
           finding.code == "never_started";
}

} // namespace

std::vector<Finding> live_findings(const Readings &now, const std::optional<std::string> &ailment,
                                   const std::string &server) {
    std::vector<Finding> found;
    const auto &view = now.view;
    if (ailment)
        found.push_back({Severity::problem,
                         "sink_hangs",
                         *ailment,
                         {"restart the daemon; if it happens again, tell the author of the "
                          "plugin"}});
    if (view.trouble && view.phase == Phase::starting)
        found.push_back({Severity::problem,
                         "sink_not_ready",
                         "the sink cannot be set up: " + view.trouble->what,
                         {view.trouble->hint.empty() ? "see to the sink; the daemon tries again "
                                                       "by itself"
                                                     : view.trouble->hint}});
    else if (view.trouble)
        found.push_back(session_trouble(now, server));
    if (view.phase == Phase::standby)
        found.push_back({Severity::notice,
                         "standby",
                         "another daemon has this stream, this one stands by",
                         {"nothing to do: it takes over when the other one ends; look at that "
                          "one's page for the stream"}});
    if (view.failover && view.ready() && view.outage)
        found.push_back(view.outage->next_attempt ? sink_down(now) : catching_up(now));
    if (view.slot_replaced && seconds_between(view.slot_replaced->at, now.now) < an_hour)
        found.push_back(slot_replaced(now));
    if (view.survey)
        for (const auto &finding : view.survey->findings)
            if (!known_better(finding)) found.push_back(finding);
    std::stable_sort(found.begin(), found.end(),
                     [](const Finding &a, const Finding &b) { return a.severity < b.severity; });
    return found;
}

} // namespace pgat::daemon
