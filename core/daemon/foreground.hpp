// Work on a thread of its own, while the main thread takes the stop signals.
//
// SIGTERM or SIGINT halts the work; half of the shutdown time later, or at a second signal, its sink is
// cancelled; at the end of that time nothing waits for it any more.
#pragma once

#include <chrono>
#include <functional>

#include "base/halt.hpp"

namespace pgat::daemon {

// All but the work are called on the main thread, and may be empty.
struct Foreground {
    std::function<void()> work; // must not throw
    std::function<void(const char *signal)> stopping;
    std::function<void()> cancel; // makes the work's call into its sink return soon
    std::function<void()> tick;   // every quarter of a second
};

// True: the work has ended. False: it did not in time, and its thread is still there, so the caller must
// leave by _exit(). Once a process.
bool run_in_foreground(Halt &halt, std::chrono::seconds shutdown_timeout,
                       const Foreground &foreground);

} // namespace pgat::daemon
