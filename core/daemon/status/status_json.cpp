#include "daemon/status/status_json.hpp"

#include <chrono>

#include "outbox/report/report_json.hpp"
#include "outbox/time_text.hpp"

namespace pgat::daemon {

namespace {

using Json = nlohmann::ordered_json;

Json time(const std::optional<Timestamp> &time) {
    return time ? Json(outbox::iso_time_text(*time)) : Json(nullptr);
}

Json time(std::chrono::system_clock::time_point time) {
    return outbox::iso_time_text(Timestamp(
        std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count()));
}

Json live(const Readings &now) {
    const auto &view = now.view;
    const auto &counts = now.counts;
    Json json = {{"version", PGAT_VERSION},
                 {"now", time(now.now)},
                 {"started_at", time(now.started)},
                 {"phase", name_of(view.phase)},
                 {"phase_since", time(view.since)},
                 {"ready", view.ready()},
                 {"lag_seconds", now.lag_seconds},
                 {"events_waiting", now.waiting()},
                 {"events_delivered", counts.delivered.load()},
                 {"events_replayed", counts.replayed.load()},
                 {"events_retried", counts.retried.load()},
                 {"events_rejected", counts.rejected.load()},
                 {"sink_calls", counts.calls.load()},
                 {"sink_calls_failed", counts.failed_calls.load()},
                 {"queue",
                  {{"events", view.queue.count},
                   {"bytes", view.queue.weight},
                   {"limit_events", view.queue_limits.count},
                   {"limit_bytes", view.queue_limits.weight}}},
                 {"failovers", view.failovers},
                 {"failover_seconds", view.failover_seconds},
                 {"reconnects", view.sessions_lost},
                 {"slots_replaced", view.slots_replaced},
                 {"surveyed_at", nullptr}};
    if (view.survey) json["surveyed_at"] = time(view.survey->taken);
    return json;
}

Json failover(const Situation::View &view) {
    if (!view.failover) return nullptr;
    Json json = {{"since", time(view.failover_since)},
                 {"reason", ""},
                 {"events_waiting", nullptr},
                 {"next_attempt_at", nullptr},
                 {"checkpoint_event_id", nullptr}};
    if (!view.outage) return json;
    json["reason"] = view.outage->reason.value_or("");
    json["events_waiting"] = view.outage->waiting;
    json["next_attempt_at"] = time(view.outage->next_attempt);
    if (view.outage->first) json["checkpoint_event_id"] = view.outage->first->id.value();
    return json;
}

Json subscriptions(const Survey &survey) {
    Json list = Json::array();
    for (const auto &each : survey.subscriptions) {
        Json problems = Json::array();
        for (const auto &problem : survey.problems)
            if (problem.key == each.key)
                problems.push_back({{"problem", problem.problem}, {"hint", problem.hint}});
        list.push_back({{"key", each.key},
                        {"operation", each.operation},
                        {"table", each.table},
                        {"problems", std::move(problems)}});
    }
    return list;
}

Json dead_letters(const Survey &survey) {
    Json list = Json::array();
    for (const auto &letter : survey.letters)
        list.push_back({{"event_id", letter.at.id.value()},
                        {"failed_at", time(letter.failed_at)},
                        {"attempts", letter.attempts},
                        {"reason", letter.reason}});
    return list;
}

Json lines(const std::vector<observe::RecentLines::Line> &log) {
    Json list = Json::array();
    for (const auto &[line, first, times] : log) {
        Json fields = Json::object();
        for (const auto &[key, value] : line.fields)
            fields[key] = value;
        list.push_back({{"ts", time(line.time)},
                        {"level", line.level},
                        {"logger", line.room},
                        {"msg", line.message},
                        {"fields", std::move(fields)},
                        {"times", times},
                        {"first_ts", time(first)}});
    }
    return list;
}

} // namespace

std::string status_json(const Readings &now, const std::vector<outbox::Finding> &findings,
                        const std::vector<observe::RecentLines::Line> &log, StreamId stream,
                        const std::string &sink_type, const std::string &server) {
    const auto &view = now.view;
    Json json = {{"stream_id", stream.value()}};
    if (view.survey) json = outbox::to_json(view.survey->stream, findings);
    json["state"] = now.state();
    json["healthy"] = outbox::healthy(findings);
    json["findings"] = outbox::to_json(findings);
    json["failover"] = failover(view);
    json["live"] = live(now);
    json["sink"] = {{"type", sink_type}};
    json["connection"] = server;
    json["subscription_list"] = view.survey ? subscriptions(*view.survey) : Json::array();
    json["dead_letter_list"] = view.survey ? dead_letters(*view.survey) : Json::array();
    json["log"] = lines(log);
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string history_json(const std::vector<History::Sample> &samples) {
    Json list = Json::array();
    for (const auto &sample : samples)
        list.push_back({sample.at.value() / 1000, sample.delivered, sample.rejected,
                        sample.lag_seconds, sample.waiting, sample.trouble ? 1 : 0});
    return Json{{"interval_seconds", History::interval.count()}, {"samples", std::move(list)}}
        .dump();
}

} // namespace pgat::daemon
