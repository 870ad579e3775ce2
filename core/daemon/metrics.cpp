#include "daemon/metrics.hpp"

#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace pgat::daemon {

namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

class Families {
  public:
    explicit Families(StreamId stream) : stream_(fmt::format("{}", stream)) {}

    void counter(const std::string &name, const std::string &help, std::uint64_t value) {
        add(name, help, MetricType::Counter).counter.value = static_cast<double>(value);
    }
    void gauge(const std::string &name, const std::string &help, double value) {
        add(name, help, MetricType::Gauge).gauge.value = value;
    }
    std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

  private:
    prometheus::ClientMetric &add(const std::string &name, const std::string &help,
                                  MetricType type) {
        auto &family = families_.emplace_back();
        family.name = "async_triggers_" + name;
        family.help = help;
        family.type = type;
        auto &metric = family.metric.emplace_back();
        metric.label.push_back({"stream", stream_});
        return metric;
    }

    const std::string stream_;
    std::vector<MetricFamily> families_;
};

} // namespace

std::string metrics_text(const Supervisor &supervisor, StreamId stream) {
    Families families(stream);
    const auto &counts = supervisor.counts();
    families.counter("events_delivered_total", "Events the sink took, replays included",
                     counts.delivered);
    families.counter("events_retried_total", "Failures that events were charged with",
                     counts.retried);
    families.counter("events_rejected_total", "Events that became dead letters", counts.rejected);
    families.counter("sink_calls_total", "Calls of the sink", counts.calls);
    families.counter("sink_calls_failed_total", "Calls of the sink that failed",
                     counts.failed_calls);
    families.gauge("failover", "1 while events are delivered from the table for the sink was down",
                   supervisor.in_failover() ? 1 : 0);
    families.gauge("oldest_undelivered_timestamp_seconds",
                   "When the oldest event was written that a stream of this database has not "
                   "delivered for half of the retention time; 0: there is none",
                   static_cast<double>(supervisor.oldest_undelivered().get().value()) / 1e6);
    // Names of the plugin's that would meet one of ours were refused to it.
    const sinks::Metrics &sink = supervisor.sink_metrics();
    for (const auto &counter : sink.counters())
        families.counter("sink_" + counter.name, counter.help, counter.value);
    for (const auto &gauge : sink.gauges())
        families.gauge("sink_" + gauge.name, gauge.help, gauge.value);
    return families.text();
}

} // namespace pgat::daemon
