#include "outbox/report/delivery_findings.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/quantities.hpp"

namespace pgat::outbox::report {

namespace {

constexpr std::int64_t second = 1'000'000;
// A call that the sink does not answer may take its time.
constexpr std::int64_t attempt_is_late = 120;
// A daemon that keeps up is a few seconds behind.
constexpr std::int64_t much_lag = 60;
constexpr std::int64_t much_wal = std::int64_t{256} << 20;

} // namespace

// " 12 events wait", as well as it is known; empty: none.
std::string DeliveryFindings::waiting() const {
    const Lag &lag = report_.lag;
    if (lag.events_at_most == 0) return {};
    if (lag.exact())
        return fmt::format("; {} wait{} in the table", count_text(lag.events_at_most, "event"),
                           lag.events_at_most == 1 ? "s" : "");
    if (lag.events_at_least == 0)
        return fmt::format("; at most {} wait in the table",
                           count_text(lag.events_at_most, "event"));
    return fmt::format("; at least {} wait in the table", count_text(lag.events_at_least, "event"));
}

void DeliveryFindings::daemon() {
    if (state_ == StreamState::never_started) {
        std::vector<std::string> remedy = {"start the daemon; if it does not stay, this says why:",
                                           "postgres-async-triggers check"};
        if (!report_.row && !report_.other_streams.empty())
            remedy.insert(remedy.begin(),
                          fmt::format("this database has stream {}: is stream.id right?",
                                      fmt::join(report_.other_streams, ", ")));
        return notice("never_started",
                      fmt::format("no daemon has run stream {} yet{}", report_.stream, waiting()),
                      std::move(remedy));
    }
    if (state_ == StreamState::starting) {
        const auto &since = report_.daemons.front().since;
        return notice("starting",
                      fmt::format("a daemon is there{}, but does not read the slot{}",
                                  since ? " for " + duration_text(seconds_since(*since)) : "",
                                  waiting()),
                      {"if this lasts for more than some seconds, its log says what it waits for"});
    }
    if (state_ != StreamState::away) return;
    std::string what =
        fmt::format("no daemon runs; the last sign of one is {} old{}",
                    duration_text(seconds_since(report_.row->updated_at)), waiting());
    std::vector<std::string> remedy = {"start it; if it does not stay, its log and this say why:",
                                       "postgres-async-triggers check"};
    if (report_.slot && !report_.slot->slot.invalidated &&
        static_cast<std::int64_t>(report_.slot->wal_held) >= much_wal) {
        what += fmt::format("; its slot holds {} of WAL on the server's disk",
                            size_text(static_cast<std::int64_t>(report_.slot->wal_held)));
        remedy.insert(remedy.end(), {"if the stream has ended:",
                                     fmt::format("postgres-async-triggers teardown --stream {}",
                                                 report_.stream)});
    }
    problem("daemon_away", std::move(what), std::move(remedy));
}

std::string DeliveryFindings::outage_text(const Outage &outage) const {
    std::string text;
    if (outage.since) text += " for " + duration_text(seconds_since(*outage.since));
    if (!outage.reason.empty()) text += ": " + outage.reason;
    if (outage.waiting && !report_.lag.exact())
        text += fmt::format("; {} wait in the table", count_text(*outage.waiting, "event"));
    else
        text += waiting();
    return text;
}

void DeliveryFindings::sink() {
    if (!report_.row || !report_.row->outage) return;
    const Outage &outage = *report_.row->outage;
    if (state_ == StreamState::away)
        return problem("sink_down", "the sink was down when the daemon ended" + outage_text(outage),
                       {"see to the sink too"});
    if (!outage.next_attempt)
        return notice("catching_up",
                      "the sink was down and is back, it is given what waited" +
                          outage_text({outage.since, "", outage.waiting, std::nullopt}),
                      {"nothing to do: the stream goes on by itself when all is delivered"});
    const std::int64_t in = (outage.next_attempt->value() - report_.server.now.value()) / second;
    std::vector<std::string> remedy = {
        fmt::format("see to the sink; the daemon tries again {}, nothing is lost and no WAL is "
                    "held meanwhile",
                    in > 0 ? "in " + duration_text(in) : "now")};
    if (in < -attempt_is_late)
        remedy = {fmt::format("the next attempt was due {} ago: see to the daemon, it hangs",
                              duration_text(-in))};
    problem("sink_down", "the sink is down" + outage_text(outage), std::move(remedy));
}

void DeliveryFindings::slot() {
    const bool ran = daemon_ran();
    if (!report_.slot) {
        if (!ran) return;
        return problem(
            "slot_missing",
            fmt::format("replication slot {} is gone: dropped by somebody, or this server was "
                        "promoted or upgraded",
                        request_.slot_name),
            {daemon_is_there() ? "nothing to do: the daemon makes it anew"
                               : "start the daemon: it makes it anew",
             "no event is lost: what the slot had is delivered from the table"});
    }
    const auto &slot = report_.slot->slot;
    try {
        replication::require_ours(slot, report_.server.database);
    } catch (const Error &error) {
        return problem("slot_of_another", error.what(), {error.hint()});
    }
    if (slot.invalidated)
        return problem(
            "slot_lost",
            fmt::format("replication slot {} is lost ({})", slot.name, slot.invalidation_reason),
            {daemon_is_there() ? "nothing to do: the daemon replaces it"
                               : "start the daemon: it replaces it",
             "no event is lost: what the slot had is delivered from the table",
             "if it happens again, max_slot_wal_keep_size is small for the time that the daemon "
             "is away"});
    if (slot.being_created() && !report_.slot->waits_for.empty())
        return problem(
            "slot_waits",
            fmt::format("replication slot {} is being created and waits for: {}", slot.name,
                        fmt::join(report_.slot->waits_for, "; ")),
            {"end these transactions, or wait for them; meanwhile events are delivered from "
             "the table"});
    if (slot.active && !report_.slot->reader.empty() && !reader_is_ours())
        problem(
            "slot_taken",
            fmt::format("replication slot {} is read by \"{}\" (server process {}), which "
                        "is no daemon of stream {}",
                        slot.name, report_.slot->reader, slot.active_pid.value_or(0),
                        report_.stream),
            {fmt::format("end it: SELECT pg_terminate_backend({});", slot.active_pid.value_or(0))});
    if (slot.wal_status == "unreserved")
        problem("slot_in_danger",
                fmt::format("replication slot {} is too far behind and may be lost at any "
                            "moment ({} of WAL)",
                            slot.name,
                            size_text(static_cast<std::int64_t>(report_.slot->wal_held))),
                {daemon_is_there() ? "see to the daemon: it does not keep up" : "start the daemon",
                 "no event is lost with it: the table has them all"});
    if (ran && !report_.publication)
        problem("publication_missing",
                fmt::format("publication async_triggers_stream_{} is gone", report_.stream),
                {"restart the daemon: it makes it anew, and delivers from the table what was "
                 "missed"});
}

bool DeliveryFindings::reader_is_ours() const {
    return std::any_of(report_.daemons.begin(), report_.daemons.end(),
                       [](const DaemonReport &daemon) { return daemon.reads_slot; });
}

void DeliveryFindings::waiting_events() {
    if (!report_.lag.oldest) return;
    const std::int64_t age = seconds_since(*report_.lag.oldest);
    const std::int64_t half = std::int64_t{request_.retention_days} * 43'200;
    if (age > half)
        problem("old_events",
                fmt::format("events wait for {}, retention is {} days", duration_text(age),
                            request_.retention_days),
                {request_.drop_undelivered
                     ? "after that they are lost, as stream.partitions.drop_undelivered says"
                     : "none is lost: their partitions are kept, and the table grows"});
    else if (state_ == StreamState::streaming && age > much_lag)
        notice("slow",
               fmt::format("the sink takes events, but more slowly than they come: the oldest "
                           "waits for {}",
                           duration_text(age)),
               {"watch whether this grows; a larger stream.batch.max_size, or more "
                "concurrency in the sink, may help"});
}

} // namespace pgat::outbox::report
