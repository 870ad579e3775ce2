// The delivery thread's life: one sink, and session after session until the program is to end.
//
// Whatever ends a session (Postgres restarted, a cut connection, a lost slot) only leads to the next one,
// after a growing wait; only a configuration that can never work, or an error that no attempt can mend, ends
// the daemon. While another daemon holds the slot this one is its standby and looks once a second.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "base/backoff.hpp"
#include "base/halt.hpp"
#include "base/wall_clock.hpp"
#include "config/config.hpp"
#include "daemon/pipeline.hpp"
#include "daemon/situation.hpp"
#include "delivery/counts.hpp"
#include "delivery/dispatcher.hpp"
#include "sinks/call_watch.hpp"
#include "sinks/metrics.hpp"
#include "sinks/plugin_sink.hpp"

namespace pgat::daemon {

class Supervisor {
  public:
    // `crash` is what the last run left behind.
    Supervisor(const config::Config &config, Halt &halt, sinks::CrashMarker &crash);

    // On the delivery thread: to the end. The exit status.
    int run();

    // [any thread] Makes a call into the sink that is running return soon.
    void cancel_sink();

    const delivery::DeliveryCounts &counts() const noexcept { return counts_; }
    const OldestUndelivered &oldest_undelivered() const noexcept {
        return memory_.oldest_undelivered;
    }
    const Situation &situation() const noexcept { return situation_; }
    Timestamp started() const noexcept { return started_; }
    const sinks::Metrics &sink_metrics() const noexcept { return sink_metrics_; }
    const sinks::CallWatch &sink_calls() const noexcept { return sink_calls_; }
    // What is wrong with the program itself, as one line: a plugin that hangs. Nothing: it is alive. That Postgres
    // or the sink is away is no fault of it. [any thread]
    std::optional<std::string> ailment() const;
    // Is all that was delivered in the row, so that nothing of it comes again?
    bool has_stored_the_cursor() const noexcept { return has_stored_the_cursor_; }

  private:
    std::unique_ptr<sinks::PluginSink> make_sink();
    int run_sessions(sinks::Sink &sink);
    // What to do after a session failed; a status to exit with, or nothing to go on.
    std::optional<int> after(const Error &error, bool streamed);
    void store_what_is_left();

    const config::Config &config_;
    Halt &halt_;
    const Timestamp started_ = wall_clock();
    sinks::Metrics sink_metrics_;
    sinks::CallWatch sink_calls_;
    delivery::DeliveryCounts counts_;
    Memory memory_;
    Situation situation_;
    Backoff backoff_;
    bool standing_by_ = false;
    bool in_order_ = false; // the last session stored the cursor
    std::atomic<bool> has_stored_the_cursor_{false};

    std::mutex sink_mutex_;
    sinks::Sink *sink_ = nullptr; // while it stands
};

} // namespace pgat::daemon
