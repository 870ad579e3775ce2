// One sink of the plugin that is tried, and the calls into it: each is named on the slate, has a limit, and is
// a failure of the check if it throws.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <pgat/sink.h>

#include "sinks/conformance/observed_host.hpp"
#include "sinks/conformance/trial_events.hpp"

namespace pgat::conformance {

// What a call came to.
struct Answer {
    pgat_status status = PGAT_OK;
    bool reasoned = false; // it said why through fail()
    std::string reason;
    std::chrono::nanoseconds took{0};

    // "unavailable: connection refused"
    std::string text() const;
};

// How long a call may take before the check is given up, where no rule of the contract says it.
constexpr std::chrono::seconds patience{20};
// The same for what does not wait for a receiver.
constexpr std::chrono::seconds short_patience{5};

class TrialSink {
  public:
    // Nothing is made yet. `config` outlives the call of create().
    TrialSink(const pgat_sink_plugin *table, ObservedHost &host, std::string_view config);
    TrialSink(const TrialSink &) = delete;
    TrialSink &operator=(const TrialSink &) = delete;

    // Fails the check where it returns ok and no sink.
    Answer create();
    // Skips the check where the plugin does not make one.
    void require();

    Answer publish(TrialBatch &batch, std::string_view what, std::chrono::milliseconds within,
                   std::chrono::nanoseconds limit = patience,
                   std::string_view overdue = "did not return");
    bool has_probe() const noexcept { return table_->probe != nullptr; }
    Answer probe(std::chrono::milliseconds within, std::chrono::nanoseconds limit = patience,
                 std::string_view overdue = "did not return");
    // Returns how long it took. Does nothing where there is no sink.
    std::chrono::nanoseconds destroy(std::chrono::nanoseconds limit = short_patience,
                                     std::string_view overdue = "did not return within 5 s");

    ObservedHost &host() noexcept { return host_; }

  private:
    template <class Function>
    Answer call(std::string_view step, std::uint32_t events, std::chrono::nanoseconds limit,
                std::string_view overdue, Function function);

    const pgat_sink_plugin *table_;
    ObservedHost &host_;
    std::string_view config_;
    pgat_sink *sink_ = nullptr;
};

std::string_view status_name(pgat_status status) noexcept;

} // namespace pgat::conformance
