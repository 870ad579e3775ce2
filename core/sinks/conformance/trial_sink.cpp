#include "sinks/conformance/trial_sink.hpp"

#include <csignal>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <time.h>

#include "sinks/conformance/slate.hpp"
#include "sinks/quiet_signals.hpp"
#include "sinks/text.hpp"

namespace pgat::conformance {
namespace {

using std::chrono::steady_clock;

// A plugin runs with all signals blocked but those of a crash, as the daemon has it.
class SignalMask {
  public:
    SignalMask() { ::pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
    bool changed() const {
        sigset_t now;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
        for (int number = 1; number <= SIGRTMAX; ++number)
            if (sigismember(&before_, number) != sigismember(&now, number)) return true;
        return false;
    }

  private:
    sigset_t before_{};
};

[[noreturn]] void threw(std::string_view step, std::string_view what) {
    fail(fmt::format("{} threw an exception: {}", step, sinks::one_line(what, sinks::max_reason)),
         {"no exception leaves a function of a plugin: catch it, give the reason to host->fail() "
          "and "
          "return PGAT_E_BROKEN"});
}

} // namespace

std::string_view status_name(pgat_status status) noexcept {
    switch (status) {
    case PGAT_OK:
        return "PGAT_OK";
    case PGAT_E_CONFIG:
        return "PGAT_E_CONFIG";
    case PGAT_E_UNAVAILABLE:
        return "PGAT_E_UNAVAILABLE";
    case PGAT_E_CANCELLED:
        return "PGAT_E_CANCELLED";
    case PGAT_E_BROKEN:
        return "PGAT_E_BROKEN";
    case PGAT_E_UNSUPPORTED:
        return "PGAT_E_UNSUPPORTED";
    default:
        return "an unknown status";
    }
}

std::string Answer::text() const {
    return reason.empty() ? std::string(status_name(status))
                          : fmt::format("{}: {}", status_name(status), reason);
}

TrialSink::TrialSink(const pgat_sink_plugin *table, ObservedHost &host, std::string_view config)
    : table_(table), host_(host), config_(config) {}

template <class Function>
Answer TrialSink::call(std::string_view step, std::uint32_t events, std::chrono::nanoseconds limit,
                       std::string_view overdue, Function function) {
    Answer answer;
    slate().enter(step, limit, overdue);
    const auto begin = steady_clock::now();
    try {
        const ObservedHost::Call inside(host_, events);
        const sinks::QuietSignals quiet;
        const SignalMask mask;
        answer.status = function();
        if (mask.changed())
            host_.violated(Rule::signals,
                           fmt::format("{} changed the calling thread's signal mask", step));
    } catch (const std::exception &error) {
        threw(step, error.what());
    } catch (...) {
        threw(step, "of unknown type");
    }
    answer.took = steady_clock::now() - begin;
    slate().leave();
    answer.reasoned = host_.failed();
    answer.reason = host_.reason();
    return answer;
}

Answer TrialSink::create() {
    pgat_sink *made = nullptr;
    host_.begin_of_life();
    Answer answer = call("create()", 0, short_patience,
                         "did not return within 5 s: it is not to wait for the network", [&] {
                             return table_->create(host_.abi(), sinks::to_abi(config_), &made);
                         });
    if (answer.status != PGAT_OK) return answer;
    if (made == nullptr) fail("create() returned PGAT_OK and no sink: *out is NULL");
    sink_ = made;
    return answer;
}

void TrialSink::require() {
    const Answer answer = create();
    if (answer.status != PGAT_OK)
        skip(fmt::format("create() did not make a sink: {}", answer.text()));
}

Answer TrialSink::publish(TrialBatch &batch, std::string_view what,
                          std::chrono::milliseconds within, std::chrono::nanoseconds limit,
                          std::string_view overdue) {
    const pgat_batch *const abi = batch.abi(host_.cancel_fd(), within);
    return call(fmt::format("publish() of {}", what), batch.count(), limit, overdue,
                [&] { return table_->publish(sink_, abi, host_.outcomes()); });
}

Answer TrialSink::probe(std::chrono::milliseconds within, std::chrono::nanoseconds limit,
                        std::string_view overdue) {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const std::int64_t deadline = std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec +
                                  std::chrono::nanoseconds(within).count();
    return call("probe()", 0, limit, overdue, [&] {
        return table_->probe(sink_, deadline > 0 ? static_cast<std::uint64_t>(deadline) : 1);
    });
}

std::chrono::nanoseconds TrialSink::destroy(std::chrono::nanoseconds limit,
                                            std::string_view overdue) {
    if (sink_ == nullptr) return {};
    pgat_sink *const old = std::exchange(sink_, nullptr);
    const Answer answer = call("destroy()", 0, limit, overdue, [&] {
        table_->destroy(old);
        return PGAT_OK;
    });
    host_.end_of_life();
    return answer.took;
}

} // namespace pgat::conformance
