#include "daemon/metrics.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "base/wall_clock.hpp"
#include "daemon/readings.hpp"

namespace pgat::daemon {

namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

class Families {
  public:
    explicit Families(StreamId stream) : stream_(fmt::format("{}", stream)) {}

    void counter(const std::string &name, const std::string &help, double value) {
        add(name, help, MetricType::Counter).counter.value = value;
    }
    void counter(const std::string &name, const std::string &help, std::uint64_t value) {
        counter(name, help, static_cast<double>(value));
    }
    void gauge(const std::string &name, const std::string &help, double value) {
        add(name, help, MetricType::Gauge).gauge.value = value;
    }
    template <class Integer>
    void gauge(const std::string &name, const std::string &help, Integer value) {
        gauge(name, help, static_cast<double>(value));
    }
    // One for each of the values that the label may have: 1 for the one that it has, 0 for the others.
    void one_of(const std::string &name, const std::string &help, const std::string &label,
                std::initializer_list<std::string_view> values, std::string_view now) {
        add(name, help, MetricType::Gauge);
        auto &family = families_.back();
        family.metric.clear();
        for (const auto value : values) {
            auto &metric = family.metric.emplace_back();
            metric.label = {{"stream", stream_}, {label, std::string(value)}};
            metric.gauge.value = value == now ? 1 : 0;
        }
    }
    void labelled(const std::string &name, const std::string &help, const std::string &label,
                  const std::string &value) {
        auto &metric = add(name, help, MetricType::Gauge);
        metric.label.push_back({label, value});
        metric.gauge.value = 1;
    }
    template <std::size_t N>
    void histogram(const std::string &name, const std::string &help, const Histogram<N> &source) {
        auto &histogram = add(name, help, MetricType::Histogram).histogram;
        const auto counts = source.counts();
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i <= N; ++i) {
            sum += counts[i];
            histogram.bucket.push_back(
                {sum, i < N ? source.bounds()[i] : std::numeric_limits<double>::infinity()});
        }
        histogram.sample_count = sum;
        histogram.sample_sum = source.sum();
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

double in_seconds(Timestamp time) { return static_cast<double>(time.value()) / 1e6; }

void add_delivery(Families &families, const Readings &now) {
    const auto &counts = now.counts;
    families.counter("events_delivered_total", "Events the sink took, replays included",
                     counts.delivered);
    families.counter("events_replayed_total", "Events the sink took that came from the table",
                     counts.replayed);
    families.counter("events_retried_total", "Failures that events were charged with",
                     counts.retried);
    families.counter("events_rejected_total", "Events that became dead letters", counts.rejected);
    families.counter("sink_calls_total", "Calls of the sink", counts.calls);
    families.counter("sink_calls_failed_total", "Calls of the sink that failed",
                     counts.failed_calls);
    families.histogram("publish_duration_seconds", "How long a call of the sink took",
                       counts.call_seconds);
    families.histogram("batch_events", "Events offered to the sink in one call",
                       counts.batch_events);
    families.histogram("delivery_delay_seconds",
                       "From the writing of an event to its delivery, of the first event of each "
                       "call that delivered something",
                       counts.delay_seconds);
    families.gauge("lag_seconds", "How old the oldest event is that waits; 0: none waits",
                   now.lag_seconds);
    families.gauge("queue_events", "Events read from the slot that wait in memory",
                   now.view.queue.count);
    families.gauge("queue_bytes", "Bytes of the events that wait in memory", now.view.queue.weight);
    families.gauge("queue_limit_events", "Events that may wait in memory",
                   now.view.queue_limits.count);
    families.gauge("queue_limit_bytes", "Bytes that may wait in memory",
                   now.view.queue_limits.weight);
}

void add_state(Families &families, const Readings &now) {
    families.one_of("state", "1 for what the daemon does now", "state",
                    {"starting", "connecting", "standby", "recovering", "streaming", "failover",
                     "disconnected"},
                    now.state());
    families.gauge("ready", "1 while this daemon has the stream in its hands, also in failover",
                   now.view.ready() ? 1 : 0);
    families.gauge("failover", "1 while events are delivered from the table for the sink was down",
                   now.view.failover ? 1 : 0);
    families.gauge("failover_since_timestamp_seconds",
                   "When the first call of this outage failed; 0: there is none",
                   now.view.failover_since ? in_seconds(*now.view.failover_since) : 0.0);
    families.counter("failovers_total", "How often the sink went down", now.view.failovers);
    families.counter("failover_seconds_total", "How long events were delivered from the table",
                     now.view.failover_seconds);
    families.gauge("oldest_undelivered_timestamp_seconds",
                   "When the oldest event was written that a stream of this database has not "
                   "delivered for half of the retention time; 0: there is none",
                   in_seconds(now.oldest_undelivered));
    families.counter("reconnects_total", "Sessions with Postgres that failed and were begun anew",
                     now.view.sessions_lost);
    families.counter("slots_replaced_total", "Slots that were lost and replaced",
                     now.view.slots_replaced);
    families.gauge("start_timestamp_seconds", "When the daemon started", in_seconds(now.started));
    families.labelled("build_info", "1; the version is a label", "version", PGAT_VERSION);
}

void add_survey(Families &families, const Readings &now) {
    if (!now.view.survey) return;
    const Survey &survey = *now.view.survey;
    const auto &stream = survey.stream;
    families.gauge("survey_timestamp_seconds",
                   "When the values below were looked up in the database",
                   in_seconds(survey.taken));
    families.gauge("oldest_undelivered_event_age_seconds",
                   "How old the oldest event is that the row of the stream does not hold; 0: it "
                   "holds all",
                   stream.lag.oldest
                       ? std::max(seconds_between(*stream.lag.oldest, stream.server.now), 0.0)
                       : 0.0);
    families.gauge("events_waiting", "Undelivered events, at least", now.waiting());
    if (stream.lag.bytes)
        families.gauge("lag_bytes", "WAL from what is confirmed to its end", *stream.lag.bytes);
    if (stream.slot) {
        const auto &slot = stream.slot->slot;
        families.one_of("slot_wal_status", "1 for what Postgres says of the slot's WAL",
                        "wal_status", {"reserved", "extended", "unreserved", "lost"},
                        slot.wal_status);
        families.gauge("slot_wal_held_bytes", "WAL that the slot holds back",
                       stream.slot->wal_held);
        if (slot.safe_wal_size)
            families.gauge("slot_safe_wal_size_bytes",
                           "WAL that can be written before the slot may be lost",
                           *slot.safe_wal_size);
    }
    if (stream.partitions) {
        const auto &partitions = *stream.partitions;
        families.gauge("partitions", "Daily partitions of async_triggers.events", partitions.count);
        families.gauge("partitions_ahead", "Days after today that have a partition, without a gap",
                       partitions.days_ahead);
        families.gauge("partitions_missing",
                       "Days from today to partitions.days_ahead without a partition",
                       partitions.missing.size());
        families.gauge("default_partition_rows",
                       "Events in the default partition; ten thousand are counted at most",
                       partitions.default_rows);
        if (partitions.bytes)
            families.gauge("events_table_bytes", "Size of async_triggers.events with its indexes",
                           *partitions.bytes);
    }
    if (stream.dead_letters)
        families.gauge("dead_letters", "Dead letters there are; ten thousand are counted at most",
                       stream.dead_letters->count);
    families.gauge("subscriptions", "Subscriptions of the stream", stream.subscriptions);
    families.gauge("subscription_problems",
                   "What is wrong with subscriptions: a column that has gone, a trigger that is "
                   "disabled",
                   survey.problems.size());
}

void add_calls(Families &families, const sinks::CallWatch &calls) {
    const auto call = calls.running();
    families.gauge("sink_calls_hung",
                   "1 while a call of the sink has not returned a second after its deadline",
                   calls.hanging() ? 1 : 0);
    families.gauge(
        "sink_calls_running_seconds",
        "For how long the call of the sink that runs has run; 0: none runs",
        call ? std::chrono::duration<double>(sinks::CallWatch::Clock::now() - call->since).count()
             : 0);
}

} // namespace

std::string metrics_text(const Supervisor &supervisor, StreamId stream) {
    const Readings now = read_now(supervisor);
    Families families(stream);
    add_delivery(families, now);
    add_state(families, now);
    add_calls(families, supervisor.sink_calls());
    add_survey(families, now);
    // Names of the plugin's that would meet one of ours were refused to it.
    const sinks::Metrics &sink = supervisor.sink_metrics();
    for (const auto &counter : sink.counters())
        families.counter("sink_" + counter.name, counter.help, counter.value);
    for (const auto &gauge : sink.gauges())
        families.gauge("sink_" + gauge.name, gauge.help, gauge.value);
    return families.text();
}

} // namespace pgat::daemon
