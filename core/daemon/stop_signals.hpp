// SIGTERM and SIGINT as something to wait for: blocked for the thread that makes this and all that it
// starts later, so make it before them. SIGPIPE is ignored from then on. Once a process.
#pragma once

#include <chrono>

#include "base/wakeup.hpp"

namespace pgat::daemon {

class StopSignals {
  public:
    StopSignals();
    ~StopSignals();
    StopSignals(const StopSignals &) = delete;
    StopSignals &operator=(const StopSignals &) = delete;

    // Until a signal comes, `other` is rung, or it is time; for no reason as well.
    void wait_for(const Wakeup &other, std::chrono::steady_clock::time_point until) const;
    // The signal that came, as its name; null: none.
    const char *take() const;

  private:
    int fd_;
};

} // namespace pgat::daemon
