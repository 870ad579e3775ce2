#include "daemon/sink_watch.hpp"

#include <fmt/format.h>

#include "observe/log.hpp"

namespace pgat::daemon {

namespace {

using namespace std::chrono_literals;

constexpr observe::Log log{"daemon"};
constexpr auto report_interval = 60s;

} // namespace

std::string describe(const sinks::CallWatch::Call &call) {
    return fmt::format("{} has not returned from {}() for {} s", call.plugin, call.function,
                       (sinks::CallWatch::Clock::now() - call.since) / 1s);
}

void SinkWatch::look() {
    const auto now = Clock::now();
    if (hanging_) {
        const auto running = calls_.running();
        if (!running || running->since != hanging_->since) {
            log.warn("the sink has returned after all",
                     {{"plugin", hanging_->plugin},
                      {"function", hanging_->function},
                      {"seconds", (now - hanging_->since) / 1s}});
            hanging_.reset();
            next_report_ = {};
        }
    }
    const auto hanging = calls_.hanging();
    if (!hanging || now < next_report_) return;
    hanging_ = hanging;
    next_report_ = now + report_interval;
    log.error(
        "the sink hangs: " + describe(*hanging),
        {{"deadline_seconds", (hanging->due - hanging->since) / 1s},
         {"consequence", "events wait, and no other daemon takes the stream while this one lives"},
         {"hint", "if it stays, restart the daemon: nothing is lost; the fault is the plugin's"}});
}

} // namespace pgat::daemon
