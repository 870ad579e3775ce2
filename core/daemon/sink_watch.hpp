// Does the sink's plugin hang? Says so in the log: when it does not return in time, once a minute from then on, and
// when it has returned after all.
//
// Nothing can end a function of a plugin from outside, and while one runs, a daemon that takes over could deliver
// what it is delivering: so the stream stays ours, all else goes on, and whoever watches the program's health
// ends it. On the main thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "sinks/call_watch.hpp"

namespace pgat::daemon {

// "http.so has not returned from publish() for 75 s". [any thread]
std::string describe(const sinks::CallWatch::Call &call);

class SinkWatch {
  public:
    // It outlives this.
    explicit SinkWatch(const sinks::CallWatch &calls) : calls_(calls) {}

    // Every quarter of a second or so.
    void look();

  private:
    using Clock = sinks::CallWatch::Clock;

    const sinks::CallWatch &calls_;
    std::optional<sinks::CallWatch::Call> hanging_; // as it was reported
    Clock::time_point next_report_{};
};

} // namespace pgat::daemon
