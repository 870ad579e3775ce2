// The host that the kit gives a plugin: does for it what the daemon's does, and writes down each use of it that
// the contract does not allow.
//
// Never destroyed, so that a plugin that calls it too late is found out instead of crashing.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <pgat/sink.h>

#include "base/wakeup.hpp"
#include "sinks/conformance/guarded_memory.hpp"
#include "sinks/json_lookup.hpp"
#include "sinks/metrics.hpp"

namespace pgat::conformance {

// What a rule is about: each check looks at its own.
enum class Rule {
    thread,   // a [sink] function from another thread, or outside any call
    foreign,  // what belongs to another sink
    lifetime, // any function after destroy()
    verdict,  // twice, out of range, outside publish(), malformed
    text,     // not UTF-8, NULL with a length, or not there where it is expected
    log_line, // more than a line, or not UTF-8
    service,  // a metric's name, look-ups from within a visit
    signals,  // the mask of the calling thread, changed within a call
};

// How the table looks that the plugin is given.
enum class HostShape {
    ours,
    first_release, // as ABI 1.0 defined it, and memory that must not be touched behind it
    future,        // longer than any header knows, with garbage behind what is known
    forgetful,     // what json_get() handed out must not be touched once the call has returned
};

class ObservedHost {
  public:
    static ObservedHost &make(HostShape shape = HostShape::ours);
    ObservedHost(const ObservedHost &) = delete;
    ObservedHost &operator=(const ObservedHost &) = delete;

    const pgat_host *abi() const noexcept { return table_; }
    pgat_outcomes *outcomes() noexcept { return reinterpret_cast<pgat_outcomes *>(this); }
    int cancel_fd() const noexcept { return bell_.fd(); }
    // [any thread]
    void cancel() noexcept;
    // What the plugin did to the descriptor, which was to be polled and nothing else; empty: nothing.
    std::string cancel_fd_problem() const;

    // While one stands, the thread that made it is inside the plugin; `events` is how many verdicts there are
    // to give.
    class Call {
      public:
        explicit Call(ObservedHost &host, std::uint32_t events = 0);
        ~Call();
        Call(const Call &) = delete;
        Call &operator=(const Call &) = delete;

      private:
        ObservedHost &host_;
    };

    // Create() is about to be called; destroy() has returned, and nothing may be called any more.
    void begin_of_life() noexcept { alive_ = true; }
    void end_of_life() noexcept { alive_ = false; }

    // Of the call that is running or was the last.
    bool failed() const noexcept { return failed_; }
    const std::string &reason() const noexcept { return reason_; }
    const std::vector<std::optional<pgat_verdict>> &verdicts() const noexcept { return verdicts_; }
    // The first message that came with a verdict other than delivered.
    const std::string &message() const noexcept { return message_; }
    // Whether an event got no verdict, or is to be retried.
    bool left_any() const noexcept;

    // Writes down a breach. [any thread]
    void violated(Rule rule, std::string what);
    // What was not allowed, each said once, in the order in which it first happened.
    std::vector<std::string> violations(Rule rule) const;
    // Everything that the plugin said: log lines, reasons, messages.
    std::string said() const;

  private:
    explicit ObservedHost(HostShape shape);

    static ObservedHost &of(const pgat_host *host) noexcept {
        return *static_cast<ObservedHost *>(host->host_data);
    }
    static pgat_host functions() noexcept;

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

    // Whether the plugin may call `function`, which is [sink], here and now.
    bool on_sink_thread(const char *function);
    bool alive(const char *function);
    enum class Metric { counter, gauge };
    std::uint32_t make(Metric kind, pgat_str name, pgat_str help);
    void use(Metric kind, std::uint32_t number);
    // The text as the plugin gave it; what is wrong with it is written down.
    std::string_view checked(pgat_str text, Rule rule, std::string_view what);
    void check_wait(const char *function, std::uint64_t milliseconds);
    bool is_own(const pgat_outcomes *outcomes);
    pgat_status give(std::uint32_t first, std::uint32_t count, pgat_verdict verdict);

    // `text` where it can be forbidden once the call has returned.
    std::string_view lent(std::string_view text);

    const pgat_host *table_ = nullptr;
    HostShape shape_;
    Wakeup bell_;
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> alive_{true};
    std::atomic<std::thread::id> inside_{};

    // Of the thread that is inside the plugin.
    sinks::JsonLookup json_;
    std::vector<GuardedMemory> lent_;
    bool visiting_ = false;
    bool failed_ = false;
    bool publishing_ = false;
    std::string reason_;
    std::string message_;
    std::vector<std::optional<pgat_verdict>> verdicts_;

    sinks::Metrics metrics_;

    mutable std::mutex mutex_; // for what is below
    std::vector<std::pair<Rule, std::string>> violations_;
    std::set<std::pair<Metric, std::uint32_t>> made_;
    std::string said_;
};

} // namespace pgat::conformance
