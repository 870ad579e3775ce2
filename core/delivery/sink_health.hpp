// Is the sink up? Counts failed calls in a row, says how long to wait after each, and when it is an outage.
//
// The wait is what the sink asked for, at least a jittered backoff: what it asks for is kept, and never answered by
// hurrying, for the backoff grows all the same. Also says all of it to the log, of an outage not every attempt. On
// the delivery thread, for as long as the daemon lives.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/backoff.hpp"
#include "delivery/outage.hpp"

namespace pgat::delivery {

class SinkHealth {
  public:
    // An outage begins with the last of `attempts` failed calls in a row.
    SinkHealth(std::uint32_t attempts, Backoff::Duration initial_backoff,
               Backoff::Duration max_backoff)
        : attempts_(attempts), backoff_(initial_backoff, max_backoff) {}

    // How long to wait before the next call.
    Backoff::Duration failed(const std::string &reason, Backoff::Duration asked_to_wait);
    // A call that failed took something all the same: such a sink is asked for the rest sooner.
    void took_something() noexcept { backoff_.reset(); }
    void succeeded();
    // An outage from now on, whatever was counted; the next attempt is no sooner than `wait` from now.
    void give_up(const std::string &reason, Backoff::Duration wait = Backoff::Duration(0));

    const std::optional<Outage> &outage() const noexcept { return outage_; }

  private:
    const std::uint32_t attempts_;
    Backoff backoff_;
    std::uint32_t failures_ = 0; // in a row
    Timestamp since_;            // of the first of them
    std::optional<Outage> outage_;
    std::chrono::steady_clock::time_point next_log_{}; // not before
};

} // namespace pgat::delivery
