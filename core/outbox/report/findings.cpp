#include "outbox/report/findings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/quantities.hpp"
#include "outbox/report/delivery_findings.hpp"

namespace pgat::outbox {

namespace {

class Findings : public report::DeliveryFindings {
  public:
    using DeliveryFindings::DeliveryFindings;

    void server() {
        if (!report_.server.in_recovery) return;
        problem("standby_server",
                "this server is in recovery: a standby, which takes no writes and feeds no daemon",
                {"point stream.pg_connection at the primary"});
    }

    void schema() {
        if (report_.schema == 0) {
            problem(
                "schema_missing",
                fmt::format("database {} has no schema async_triggers", report_.server.database),
                {"see that stream.pg_connection names the right database; the daemon's first "
                 "start makes the schema, and so does:",
                 "postgres-async-triggers migrate"});
        } else if (report_.schema > report_.newest_schema) {
            problem("schema_newer",
                    fmt::format("schema async_triggers is at version {}, this program knows {}",
                                report_.schema, report_.newest_schema),
                    {"install the newer postgres-async-triggers that migrated it"});
        } else if (report_.schema < report_.newest_schema) {
            notice("schema_older",
                   fmt::format("schema async_triggers is at version {} of {}", report_.schema,
                               report_.newest_schema),
                   {"the daemon's next start mends it, and so does:",
                    "postgres-async-triggers migrate"});
        }
    }

    void subscriptions(const std::vector<SubscriptionProblem> &problems) {
        for (const auto &each : problems) {
            // A refusal names the subscription itself.
            const bool named = each.problem.starts_with("subscription \"");
            std::vector<std::string> remedy;
            if (!each.hint.empty()) remedy.push_back(each.hint);
            if (!each.hint.ends_with(';'))
                remedy.emplace_back("until it is corrected, writes that fire it may fail: change "
                                    "it with `subscriptions apply`, or delete its row of "
                                    "async_triggers.subscriptions");
            problem("trigger_broken",
                    named ? each.problem
                          : fmt::format("subscription \"{}\": {}", each.key, each.problem),
                    std::move(remedy));
        }
        if (report_.subscriptions == 0)
            notice("no_subscriptions",
                   fmt::format("stream {} has no subscriptions: no change becomes an event",
                               report_.stream),
                   {"declare some: postgres-async-triggers subscriptions apply FILE.yaml"});
    }

    void partitions() {
        if (!report_.partitions || !daemon_ran()) return;
        const PartitionsReport &partitions = *report_.partitions;
        if (!partitions.missing.empty()) {
            std::string what =
                fmt::format("there is no partition {}", fmt::join(partitions.missing, ", "));
            // Events of before the first start, or of a month without a daemon: harmless, and over by tomorrow.
            if (partitions.missing.size() == 1 && !partitions.today && partitions.default_rows > 0)
                return notice("partitions_missing",
                              what +
                                  ": the default one held events of today before it could be made",
                              {"nothing to do: today's events stay in the default partition"});
            if (!partitions.today)
                what += ": today's events go into the default one";
            else if (partitions.days_ahead == 0)
                what += ": from midnight (UTC) on events go into the default one";
            std::vector<std::string> remedy = {
                daemon_is_there()
                    ? "the daemon makes them every day, and tries again every few minutes: its log "
                      "says what is in the way (look for \"partition\")"
                    : "start the daemon: it makes them at its start and every day"};
            remedy.emplace_back("no event is lost, and no writer is held up, meanwhile");
            if (!partitions.today || partitions.days_ahead == 0)
                problem("partitions_missing", std::move(what), std::move(remedy));
            else
                notice("partitions_missing", std::move(what), std::move(remedy));
        }
        if (partitions.default_rows > 0)
            notice("default_partition",
                   fmt::format("the default partition holds {}{}, written while their day's was "
                               "missing",
                               partitions.default_rows >= default_rows_limit ? "at least " : "",
                               count_text(partitions.default_rows, "event")),
                   {"nothing to do: they are delivered, and deleted after the retention time"});
    }

    void dead_letters() {
        if (!report_.dead_letters || report_.dead_letters->count == 0) return;
        const DeadLettersReport &letters = *report_.dead_letters;
        std::string what =
            fmt::format("{}{}", letters.count >= dead_letters_limit ? "at least " : "",
                        count_text(letters.count, "dead letter"));
        if (letters.last_hour > 0)
            what += fmt::format(", {} in the last hour", letters.last_hour == letters.count
                                                             ? "all"
                                                             : count_text(letters.last_hour));
        if (letters.newest_at)
            what += fmt::format("; the last one {} ago{}{}",
                                duration_text(seconds_since(*letters.newest_at)),
                                letters.newest_reason.empty() ? "" : ": ", letters.newest_reason);
        std::vector<std::string> remedy = {"see them, mend the cause, deliver them again:",
                                           "postgres-async-triggers dead-letters list",
                                           "postgres-async-triggers dead-letters retry --all"};
        if (letters.last_hour > 0)
            problem("dead_letters", std::move(what), std::move(remedy));
        else
            notice("dead_letters", std::move(what), std::move(remedy));
    }

    void unreadable() {
        for (const auto &[section, why, hint] : report_.unread)
            problem("unreadable", fmt::format("{} could not be read: {}", section, why),
                    {hint.empty() ? "postgres-async-triggers check" : hint});
    }
};

} // namespace

std::vector<Finding> findings_of(const StreamReport &report, const ReportRequest &request,
                                 const std::vector<SubscriptionProblem> &problems) {
    Findings findings(report, request);
    findings.server();
    findings.schema();
    if (report.schema != 0) {
        findings.daemon();
        findings.sink();
        findings.slot();
        findings.waiting_events();
        findings.subscriptions(problems);
        findings.partitions();
        findings.dead_letters();
    }
    findings.unreadable();
    return findings.take();
}

} // namespace pgat::outbox
