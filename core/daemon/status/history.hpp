// The last hour of the stream, a sample every five seconds: for the charts of a page that has just been opened.
//
// sample() is called by one thread; read() by any.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/identifiers.hpp"
#include "daemon/readings.hpp"

namespace pgat::daemon {

class History {
  public:
    using Clock = std::chrono::steady_clock;
    static constexpr auto interval = std::chrono::seconds(5);
    static constexpr std::size_t most = 720;

    struct Sample {
        Timestamp at;
        std::uint64_t delivered = 0; // since the daemon started
        std::uint64_t rejected = 0;
        double lag_seconds = 0;
        std::int64_t waiting = 0;
        bool trouble = false; // not streaming
    };

    // Takes one, if it is time.
    void sample(const Supervisor &supervisor);
    // The oldest first.
    std::vector<Sample> read() const;

  private:
    Clock::time_point next_{};
    mutable std::mutex mutex_;
    std::deque<Sample> samples_;
};

} // namespace pgat::daemon
