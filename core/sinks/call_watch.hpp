// What a sink's plugin is doing right now: which of its functions runs, since when, until when it should be back, and
// with which events.
//
// Written on the sink's thread around every call. Read by who looks for a plugin that hangs [any thread], and by the
// handler of fatal signals, so all of it is atomics and memory that stays where it is during the call. Outlives the sink.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <pgat/sink.h>
#include <pthread.h>

#include "sinks/plugin.hpp"
#include "sinks/sink.hpp"

namespace pgat::sinks {

class CallWatch {
  public:
    using Clock = std::chrono::steady_clock;

    // The ABI gives a function a second beyond its deadline; one that is not back then hangs.
    static constexpr auto grace = std::chrono::seconds(1);
    // create() must not wait for the network, destroy() has a second.
    static constexpr auto create_limit = std::chrono::seconds(10);
    static constexpr auto destroy_limit = std::chrono::seconds(1);

    struct Call {
        std::string plugin;   // "http.so"
        const char *function; // "publish"
        Clock::time_point since;
        Clock::time_point due;
    };

    // Before the first call.
    void attach(const Plugin &plugin);
    // The events and verdicts of a publish() stay where they are until leave().
    void enter(const char *function, Clock::time_point due, std::span<const pgat_event> events,
               const Verdict *verdicts) noexcept;
    void leave() noexcept;

    // The call that runs.
    std::optional<Call> running() const;
    // The call that runs, if it hangs.
    std::optional<Call> hanging() const;

    // For the signal handler: async-signal-safe.
    const char *plugin() const noexcept { return plugin_.c_str(); }
    bool inside() const noexcept { return (turn_.load() & 1) != 0; }
    bool inside_on_this_thread() const noexcept {
        return inside() && pthread_equal(thread_.load(), pthread_self()) != 0;
    }
    const char *function() const noexcept { return function_.load(); }
    std::span<const pgat_event> events() const noexcept { return {events_.load(), count_.load()}; }
    const Verdict *verdicts() const noexcept { return verdicts_.load(); }

  private:
    std::string plugin_;
    std::atomic<std::uint64_t> turn_{0}; // odd: inside
    std::atomic<pthread_t> thread_{};
    std::atomic<const char *> function_{""};
    std::atomic<Clock::rep> since_{0};
    std::atomic<Clock::rep> due_{0};
    std::atomic<const pgat_event *> events_{nullptr};
    std::atomic<std::size_t> count_{0};
    std::atomic<const Verdict *> verdicts_{nullptr};
};

} // namespace pgat::sinks
