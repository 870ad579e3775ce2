#include "daemon/foreground.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include "daemon/stop_signals.hpp"

namespace pgat::daemon {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto tick_interval = std::chrono::milliseconds(250);

// Of the work; its thread may outlive us.
struct End {
    std::atomic<bool> come{false};
    Wakeup bell;
};

} // namespace

bool run_in_foreground(Halt &halt, std::chrono::seconds shutdown_timeout,
                       const Foreground &foreground) {
    const StopSignals signals;
    const auto end = std::make_shared<End>();
    std::thread worker([end, work = foreground.work] {
        work();
        end->come = true;
        end->bell.ring();
    });

    auto patience = Clock::time_point::max();
    auto limit = Clock::time_point::max();
    while (!end->come && Clock::now() < limit) {
        auto until = std::min(patience, limit);
        if (foreground.tick) {
            foreground.tick();
            until = std::min(until, Clock::now() + tick_interval);
        }
        signals.wait_for(end->bell, until);
        const char *const signal = signals.take();
        if (signal != nullptr && !halt.stopping()) {
            if (foreground.stopping) foreground.stopping(signal);
            halt.stop();
            patience = Clock::now() + std::chrono::milliseconds(shutdown_timeout) / 2;
            limit = Clock::now() + shutdown_timeout;
        } else if (!end->come && (signal != nullptr || Clock::now() >= patience)) {
            if (foreground.cancel) foreground.cancel();
            patience = Clock::time_point::max();
        }
    }
    if (!end->come) {
        worker.detach();
        return false;
    }
    worker.join();
    return true;
}

} // namespace pgat::daemon
