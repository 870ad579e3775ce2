// A plugin as a Sink: one instance of it, made again after it broke.
//
// Keeps a plugin's misbehaviour to itself as far as the ABI allows: exceptions, unknown statuses,
// forgotten verdicts become outcomes and log lines with the plugin's name.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <pgat/sink.h>

#include "config/config.hpp"
#include "sinks/call_watch.hpp"
#include "sinks/host.hpp"
#include "sinks/metrics.hpp"
#include "sinks/plugin.hpp"
#include "sinks/sink.hpp"

namespace pgat::sinks {

class PluginSink : public Sink {
  public:
    // Checks `settings` (an object, secrets resolved) against the plugin's schema and makes an
    // instance. Throws Error: Remedy::configure where the configuration can never work,
    // Remedy::retry where making the instance failed in a way that may pass. `metrics` outlives
    // the sink; `places` says where the settings' keys were written. `watch`, if given, outlives it
    // too, and knows at any time what the plugin does.
    PluginSink(const Plugin &plugin, const nlohmann::json &settings, Metrics &metrics,
               const config::Places &places = {}, CallWatch *watch = nullptr);
    ~PluginSink() override;
    PluginSink(const PluginSink &) = delete;
    PluginSink &operator=(const PluginSink &) = delete;

    std::uint32_t max_batch() const noexcept override { return plugin_.max_batch; }

    // After an instance broke, the next call makes a new one first; while that fails the sink is
    // unavailable. A batch beyond max_batch() is taken up to it, and the rest is not attempted.
    void publish(std::span<const OutgoingEvent> events,
                 std::chrono::steady_clock::time_point deadline, Outcomes &outcomes) override;

    bool has_probe() const noexcept override { return plugin_.table->probe != nullptr; }
    Status probe(std::chrono::steady_clock::time_point deadline, std::string &reason,
                 std::chrono::milliseconds &retry_after) override;

    void cancel() noexcept override { host_.cancel(); }

    const Plugin &plugin() const noexcept { return plugin_; }

  private:
    // What one call into the plugin came to.
    struct Result {
        Status status = Status::ok;
        std::string reason;
        std::chrono::milliseconds retry_after{0};
    };

    template <class Function>
    Result call(const char *function, std::chrono::steady_clock::time_point due,
                std::span<const pgat_event> events, Function function_call);
    Result create();
    Result ensure_instance();
    void destroy() noexcept;
    void map(std::span<const OutgoingEvent> events);

    const Plugin &plugin_;
    CallWatch *const watch_; // may be null
    std::string config_;
    Host host_;
    pgat_sink *instance_ = nullptr;
    std::vector<pgat_event> events_;                 // reused; grows only
    std::vector<const pgat_event *> event_pointers_; // to all of events_
};

// The errors in `settings`, keys as in "sink.url"; the constructor throws them as one Error.
std::vector<struct ConfigProblem> check_settings(const Plugin &plugin,
                                                 const nlohmann::json &settings);

} // namespace pgat::sinks
