#include "cli/status/overview.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/quantities.hpp"
#include "cli/finding_text.hpp"
#include "cli/terminal_text.hpp"

namespace pgat::cli::status {

namespace {

using outbox::StreamReport;
using outbox::StreamState;

constexpr std::size_t label_width = 15;

void print_line(std::string_view label, std::string_view text) {
    const std::size_t width = line_width();
    const auto lines = wrap(text, width > 40 ? width - label_width : width);
    for (const std::string &line : lines) {
        fmt::print("{:<{}}{}\n", label, label_width, line);
        label = "";
    }
}

std::int64_t age(const StreamReport &report, Timestamp time) {
    return std::max<std::int64_t>((report.server.now.value() - time.value()) / 1'000'000, 0);
}

std::string state_text(const StreamReport &report) {
    switch (report.state()) {
    case StreamState::never_started:
        return in_colour("33", "never started");
    case StreamState::starting:
        return in_colour("33", "starting");
    case StreamState::streaming:
        return in_colour("32", "streaming");
    case StreamState::failover: {
        const auto &since = report.row->outage->since;
        return in_colour("1;31", "failover") +
               (since ? " for " + duration_text(age(report, *since)) : "");
    }
    case StreamState::away:
        return in_colour("1;31", "no daemon");
    }
    return {};
}

void print_daemons(const StreamReport &report) {
    const char *label = "daemon";
    for (const auto &daemon : report.daemons) {
        print_line(
            label,
            fmt::format("{} from {}{}: {}", daemon.name,
                        daemon.client.empty() ? "this host" : daemon.client,
                        daemon.since ? ", for " + duration_text(age(report, *daemon.since)) : "",
                        daemon.reads_slot ? "reads the slot" : "waits"));
        label = "";
    }
    if (report.daemons.empty()) print_line("daemon", "none");
}

std::string events_text(const outbox::Lag &lag) {
    if (lag.exact()) return count_text(lag.events_at_most, "event");
    if (lag.events_at_least == 0) return "at most " + count_text(lag.events_at_most, "event");
    return fmt::format("{} to {} events", count_text(lag.events_at_least),
                       count_text(lag.events_at_most));
}

void print_lag(const StreamReport &report) {
    std::string text = events_text(report.lag);
    if (report.lag.oldest)
        text += fmt::format(", the oldest {} old", duration_text(age(report, *report.lag.oldest)));
    if (report.lag.bytes)
        text += fmt::format("; {} of WAL", size_text(static_cast<std::int64_t>(*report.lag.bytes)));
    print_line("lag", text);
    if (report.row && report.row->checkpoint)
        print_line("checkpoint", fmt::format("event {}", *report.row->checkpoint));
}

void print_slot(const StreamReport &report) {
    if (!report.slot) return print_line("slot", "none");
    const auto &slot = report.slot->slot;
    std::string text = slot.name;
    if (slot.invalidated)
        text += fmt::format(": lost ({})", slot.invalidation_reason);
    else
        text += fmt::format("{}{}; holds {} of WAL", slot.active ? ", read" : ", read by nobody",
                            slot.wal_status.empty() ? "" : ", " + slot.wal_status,
                            size_text(static_cast<std::int64_t>(report.slot->wal_held)));
    if (slot.safe_wal_size)
        text += fmt::format(", {} to go until it is lost", size_text(*slot.safe_wal_size));
    if (slot.failover) text += "; synchronized to standbys";
    print_line("slot", text);
}

void print_partitions(const StreamReport &report) {
    if (!report.partitions) return print_line("partitions", "not known");
    const auto &partitions = *report.partitions;
    std::string text = partitions.count == 0 ? "none" : count_text(partitions.count);
    if (partitions.count > 0) {
        text += fmt::format(" from {}; {}", partitions.oldest,
                            partitions.today ? fmt::format("today and {} ahead",
                                                           count_text(partitions.days_ahead, "day"))
                                             : "none for today");
        if (partitions.past_retention > 0)
            text += fmt::format("; {} past retention", count_text(partitions.past_retention));
    }
    if (partitions.bytes) text += fmt::format("; {}", size_text(*partitions.bytes));
    print_line("partitions", text);
}

void print_dead_letters(const StreamReport &report) {
    if (!report.dead_letters) return print_line("dead letters", "not known");
    const auto count = report.dead_letters->count;
    print_line("dead letters",
               count == 0
                   ? "none"
                   : fmt::format("{}{}", count >= outbox::dead_letters_limit ? "at least " : "",
                                 count_text(count)));
}

} // namespace

void print(const std::vector<outbox::Finding> &findings) {
    for (const auto &finding : findings)
        print_finding(finding.severity == outbox::Severity::problem ? Mark::problem : Mark::note,
                      finding.what, finding.remedy);
    if (!findings.empty()) fmt::print("\n");
}

void print(const StreamReport &report, const std::vector<outbox::Finding> &findings) {
    print(findings);
    fmt::print("{:<{}}{}: {}{}\n", "stream", label_width, report.stream, state_text(report),
               findings.empty() ? ", nothing is wrong" : "");
    if (report.schema != 0) {
        print_daemons(report);
        print_lag(report);
        print_slot(report);
        print_partitions(report);
        print_dead_letters(report);
        print_line("subscriptions", fmt::format("{} on {}", count_text(report.subscriptions),
                                                count_text(report.subscribed_tables, "table")));
    }
    print_line("database",
               fmt::format("{} on Postgres {}", report.server.database, report.server.version));
    std::fflush(stdout);
}

} // namespace pgat::cli::status
