// A sink plugin from this build, loaded and called as the daemon does it.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "sinks/metrics.hpp"
#include "sinks/plugin.hpp"
#include "sinks/plugin_sink.hpp"
#include "sinks/sink.hpp"

namespace pgat::test {

using sinks::Outcomes;
using sinks::OutgoingEvent;
using sinks::Status;
using sinks::Verdict;
using Clock = std::chrono::steady_clock;

inline const sinks::Plugin &plugin_of_this_build(std::string_view type) {
    const char *const build = std::getenv("PGAT_BUILD_DIR");
    if (build == nullptr) throw std::runtime_error("PGAT_BUILD_DIR is not set: run with ctest");
    return sinks::load_plugin_file(std::filesystem::path(build) / "plugins" /
                                   (std::string(type) + ".so"));
}

// Events with ids event-1, event-2, …; the text lives here.
class Events {
  public:
    Events &add(std::string payload, std::string key = {}, std::string metadata = {}) {
        const auto number = static_cast<std::int64_t>(events_.size() + 1);
        OutgoingEvent event;
        event.id = keep("event-" + std::to_string(number));
        event.payload = keep(std::move(payload));
        event.key = keep(std::move(key));
        event.metadata = keep(std::move(metadata));
        event.stream = StreamId(1);
        event.xid = Xid(1000);
        event.created_at = Timestamp(1767225600000123); // 2026-01-01 00:00:00.000123 UTC
        events_.push_back(event);
        return *this;
    }
    // `count` more, {"n":1} on, keys as `key` says.
    template <class Key>
    Events &fill(std::size_t count, Key key) {
        for (std::size_t i = 0; i < count; ++i)
            add("{\"n\":" + std::to_string(events_.size() + 1) + "}", key(i));
        return *this;
    }
    Events &fill(std::size_t count) {
        return fill(count, [](std::size_t) { return std::string(); });
    }
    const std::vector<OutgoingEvent> &list() const { return events_; }

  private:
    std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

    std::list<std::string> texts_;
    std::vector<OutgoingEvent> events_;
};

class SinkUnderTest {
  public:
    SinkUnderTest(std::string_view type, const nlohmann::json &settings)
        : sink_(plugin_of_this_build(type), settings, metrics_) {}

    Outcomes publish(const Events &events,
                     std::chrono::milliseconds limit = std::chrono::seconds(60)) {
        Outcomes outcomes;
        sink_.publish(events.list(), Clock::now() + limit, outcomes);
        return outcomes;
    }
    sinks::PluginSink &sink() { return sink_; }

    struct Probe {
        Status status;
        std::string reason;
    };
    Probe probe(std::chrono::milliseconds limit = std::chrono::seconds(10)) {
        Probe result{};
        std::chrono::milliseconds wait{};
        result.status = sink_.probe(Clock::now() + limit, result.reason, wait);
        return result;
    }

    std::uint64_t counter(std::string_view name) const {
        for (const auto &reading : metrics_.counters())
            if (reading.name == name) return reading.value;
        return 0;
    }

    double gauge(std::string_view name) const {
        for (const auto &reading : metrics_.gauges())
            if (reading.name == name) return reading.value;
        return 0;
    }

  private:
    sinks::Metrics metrics_;
    sinks::PluginSink sink_;
};

inline std::vector<Verdict> verdicts(std::size_t count, Verdict verdict = Verdict::delivered) {
    return std::vector<Verdict>(count, verdict);
}

inline std::string reason_for(const Outcomes &outcomes, std::uint32_t index) {
    for (const auto &reason : outcomes.reasons)
        if (reason.index == index) return reason.text;
    return {};
}

} // namespace pgat::test
