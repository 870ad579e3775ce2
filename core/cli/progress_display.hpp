// How far a delivery is, on standard error: a bar on a terminal, a line now and then elsewhere.
//
// The program's log goes to standard error too; while this stands, a line of it takes the bar's place and the
// bar follows below. One at a time, on the main thread; the counts are another's.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "config/config.hpp"
#include "delivery/counts.hpp"

namespace pgat::cli {

// Written by the delivering thread.
struct DeliveryProgress {
    delivery::DeliveryCounts counts;
    std::atomic<std::int64_t> last_id{0}; // of the event up to which all are settled; 0: none yet

    std::int64_t settled() const noexcept {
        return static_cast<std::int64_t>(counts.delivered + counts.rejected);
    }
};

class ProgressDisplay {
  public:
    // Of so many events.
    ProgressDisplay(const config::Log &log, std::int64_t total, const DeliveryProgress &progress);
    ~ProgressDisplay();
    ProgressDisplay(const ProgressDisplay &) = delete;
    ProgressDisplay &operator=(const ProgressDisplay &) = delete;

    // Call it a few times a second.
    void show();

  private:
    using Clock = std::chrono::steady_clock;

    std::string numbers() const;
    void draw_bar() const;

    const std::int64_t total_;
    const DeliveryProgress &progress_;
    const bool terminal_;
    const Clock::time_point begun_ = Clock::now();
    Clock::time_point last_line_ = begun_;
};

} // namespace pgat::cli
