#include "outbox/report/report_json.hpp"

#include <algorithm>

#include "outbox/time_text.hpp"
#include "replication/publication.hpp"

namespace pgat::outbox {

namespace {

using Json = nlohmann::ordered_json;

Json time(const std::optional<Timestamp> &time) {
    return time ? Json(iso_time_text(*time)) : Json(nullptr);
}

template <class T>
Json number(const std::optional<T> &value) {
    return value ? Json(*value) : Json(nullptr);
}

Json lsn(Lsn position) { return position.valid() ? Json(position.text()) : Json(nullptr); }

Json to_json(const StreamRowReport &row) {
    if (!row.outage) return nullptr;
    const Outage &outage = *row.outage;
    return {
        {"since", time(outage.since)},
        {"reason", outage.reason},
        {"events_waiting", number(outage.waiting)},
        {"next_attempt_at", time(outage.next_attempt)},
        {"checkpoint_event_id", row.checkpoint ? Json(row.checkpoint->value()) : Json(nullptr)}};
}

Json to_json(const Lag &lag, Timestamp now) {
    Json seconds = nullptr;
    if (lag.oldest)
        seconds = std::max<double>(static_cast<double>(now.value() - lag.oldest->value()) / 1e6, 0);
    else if (lag.exact())
        seconds = 0;
    return {{"events", lag.events_at_least},
            {"events_at_most", lag.events_at_most},
            {"bytes", number(lag.bytes)},
            {"seconds", seconds}};
}

Json to_json(const std::vector<DaemonReport> &daemons) {
    Json array = Json::array();
    for (const auto &daemon : daemons)
        array.push_back({{"name", daemon.name},
                         {"client", daemon.client},
                         {"since", time(daemon.since)},
                         {"reads_slot", daemon.reads_slot}});
    return array;
}

Json to_json(const SlotReport &report) {
    const auto &slot = report.slot;
    return {{"name", slot.name},
            {"active", slot.active},
            {"active_pid", number(slot.active_pid)},
            {"reader", report.reader},
            {"confirmed_flush_lsn", lsn(slot.confirmed_flush)},
            {"restart_lsn", lsn(slot.restart)},
            {"wal_status", slot.wal_status},
            {"safe_wal_size", number(slot.safe_wal_size)},
            {"wal_held_bytes", report.wal_held},
            {"invalidated", slot.invalidated},
            {"invalidation_reason", slot.invalidation_reason},
            {"failover", slot.failover},
            {"waits_for", report.waits_for}};
}

Json to_json(const PartitionsReport &partitions) {
    return {{"count", partitions.count},
            {"oldest", partitions.oldest},
            {"today", partitions.today},
            {"days_ahead", partitions.days_ahead},
            {"missing", partitions.missing},
            {"past_retention", partitions.past_retention},
            {"default_rows", partitions.default_rows},
            {"bytes", number(partitions.bytes)}};
}

Json to_json(const DeadLettersReport &letters) {
    return {{"count", letters.count},
            {"last_hour", letters.last_hour},
            {"newest_event_id", letters.newest ? Json(letters.newest->value()) : Json(nullptr)},
            {"newest_at", time(letters.newest_at)},
            {"newest_reason", letters.newest_reason}};
}

} // namespace

Json to_json(const std::vector<Finding> &findings) {
    Json array = Json::array();
    for (const auto &finding : findings)
        array.push_back({{"severity", finding.severity == Severity::problem ? "problem" : "notice"},
                         {"code", finding.code},
                         {"what", finding.what},
                         {"remedy", finding.remedy}});
    return array;
}

Json to_json(const StreamReport &report, const std::vector<Finding> &findings) {
    Json json = {
        {"stream_id", report.stream.value()},
        {"state", name_of(report.state())},
        {"healthy", healthy(findings)},
        {"findings", to_json(findings)},
        {"failover", nullptr},
        {"lag", to_json(report.lag, report.server.now)},
        {"generation", nullptr},
        {"updated_at", nullptr},
        {"confirmed_lsn", nullptr},
        {"daemons", to_json(report.daemons)},
        {"slot", nullptr},
        {"publication",
         report.publication ? Json(replication::stream_object_name(report.stream)) : Json(nullptr)},
        {"partitions", nullptr},
        {"dead_letters", nullptr},
        {"subscriptions", {{"count", report.subscriptions}, {"tables", report.subscribed_tables}}},
        {"schema", {{"version", report.schema}, {"newest", report.newest_schema}}},
        {"server",
         {{"version", report.server.version},
          {"database", report.server.database},
          {"in_recovery", report.server.in_recovery},
          {"time", iso_time_text(report.server.now)},
          {"wal_lsn", lsn(report.server.wal)}}}};
    if (report.row) {
        json["failover"] = to_json(*report.row);
        json["generation"] = report.row->generation;
        json["updated_at"] = iso_time_text(report.row->updated_at);
        if (report.row->confirmed) json["confirmed_lsn"] = lsn(*report.row->confirmed);
    }
    if (report.slot) json["slot"] = to_json(*report.slot);
    if (report.partitions) json["partitions"] = to_json(*report.partitions);
    if (report.dead_letters) json["dead_letters"] = to_json(*report.dead_letters);
    return json;
}

bool healthy(const std::vector<Finding> &findings) noexcept {
    return std::none_of(findings.begin(), findings.end(), [](const Finding &finding) {
        return finding.severity == Severity::problem;
    });
}

std::string dump(const Json &json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

} // namespace pgat::outbox
