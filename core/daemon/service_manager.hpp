// What systemd is told of a unit with Type=notify: that the daemon is up, how it is, that it lives, that it is
// about to end (sd_notify(3)). Without $NOTIFY_SOCKET nothing happens.
//
// "Up" does not mean that Postgres or the sink is there: both may be away for hours, and the daemon goes on
// trying. It means that the configuration holds and the plugin is loaded, so that `systemctl start` fails where
// no restart would help. [main thread]
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "daemon/situation.hpp"

namespace pgat::daemon {

class ServiceManager {
  public:
    ServiceManager();

    bool present() const noexcept { return present_; }
    // Call it every so often: a sign of life goes out at half of WatchdogSec, unless there is an ailment that only
    // a restart mends.
    void tell(const Situation::View &view, const std::optional<std::string> &ailment);
    // The end has begun, and may take so long.
    void stopping(std::chrono::seconds limit);

  private:
    using Clock = std::chrono::steady_clock;

    bool present_;
    bool ready_ = false;
    bool stopping_ = false;
    std::string status_;                         // as told last
    std::chrono::microseconds sign_interval_{0}; // 0: systemd expects none
    Clock::time_point next_sign_;
};

} // namespace pgat::daemon
