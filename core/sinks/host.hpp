// What a plugin's instance may ask of us: the pgat_host of one sink, and what it said through it.
//
// Lives from before create() until after destroy(); its address does not change. The plugin may
// log, count and look at the clock from any of its threads; all else is refused, and logged, on
// other threads than the one that is inside the plugin. No exception of ours leaves a host
// function.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include <pgat/sink.h>
#include <spdlog/logger.h>

#include "base/wakeup.hpp"
#include "sinks/json_lookup.hpp"
#include "sinks/ledger.hpp"
#include "sinks/metrics.hpp"

namespace pgat::sinks {

class Host {
  public:
    // `config` and `metrics` outlive the host. `log` is the logger named after the sink.
    Host(std::shared_ptr<spdlog::logger> log, std::string_view config, Metrics &metrics);
    Host(const Host &) = delete;
    Host &operator=(const Host &) = delete;

    const pgat_host *abi() const noexcept { return &abi_; }
    Ledger &ledger() noexcept { return ledger_; }
    spdlog::logger &logger() noexcept { return *log_; }
    int cancel_fd() const noexcept { return cancelled_bell_.fd(); }

    // [any thread] Never resets.
    void cancel() noexcept;
    bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

    // For when the instance is gone: what its gauges measured is gone with it.
    void reset_gauges() noexcept { metrics_.reset_gauges(); }

    // What the plugin said through fail() in the call that is running or was the last.
    struct Failure {
        bool said = false;
        std::string reason;
        std::chrono::milliseconds retry_after{0};
    };
    const Failure &failure() const noexcept { return failure_; }

    // While one of these stands, this thread is inside the plugin.
    class Call {
      public:
        explicit Call(Host &host, std::span<const pgat_event> events = {});
        ~Call();
        Call(const Call &) = delete;
        Call &operator=(const Call &) = delete;

      private:
        Host &host_;
    };

  private:
    static Host &of(const pgat_host *host) noexcept {
        return *static_cast<Host *>(host->host_data);
    }
    template <class Result, class Action>
    static Result guarded(const pgat_host *host, const char *function, Result refused,
                          Action action);

    static void log(const pgat_host *, std::int32_t level, pgat_str line);
    static void fail(const pgat_host *, pgat_str reason, std::uint64_t retry_after_ms);
    static std::uint64_t now_ns(const pgat_host *);
    static std::int32_t is_cancelled(const pgat_host *);
    static std::uint32_t counter(const pgat_host *, pgat_str name, pgat_str help);
    static void counter_add(const pgat_host *, std::uint32_t counter, std::uint64_t n);
    static std::uint32_t gauge(const pgat_host *, pgat_str name, pgat_str help);
    static void gauge_set(const pgat_host *, std::uint32_t gauge, double value);
    static std::int32_t json_get(const pgat_host *, pgat_str document, pgat_str pointer,
                                 pgat_str *text);
    static std::int32_t json_each(const pgat_host *, pgat_str document, pgat_str pointer,
                                  pgat_json_visit visit, void *arg);
    static pgat_status settle(const pgat_host *, pgat_outcomes *, std::uint32_t index,
                              const pgat_outcome *);
    static pgat_status delivered(const pgat_host *, pgat_outcomes *, std::uint32_t first,
                                 std::uint32_t count);
    static const void *extension(const pgat_host *, pgat_str name);

    std::uint32_t checked(std::uint32_t number, const char *kind, pgat_str name);
    void misbehaved(std::string_view what);
    Lifetime lifetime_of(std::string_view document) noexcept;

    pgat_host abi_{};
    std::shared_ptr<spdlog::logger> log_;
    std::string_view config_;
    Metrics &metrics_;
    JsonLookup json_;
    Ledger ledger_;
    Failure failure_;
    Wakeup cancelled_bell_;
    std::atomic<bool> cancelled_{false};
    std::atomic<std::thread::id> inside_{};  // the thread that is inside the plugin
    std::atomic<std::uint32_t> misdeeds_{0}; // in the call that is running
    std::span<const pgat_event> events_;     // of the publish that is running
    std::size_t last_event_ = 0;             // whose document was looked up last
    bool visiting_ = false;
};

} // namespace pgat::sinks
