// How long to wait before the next try: doubling from `initial` to `max`, each wait drawn between
// half and all of that ("equal jitter"), so that many daemons do not return in step. Not
// thread-safe.
#pragma once

#include <chrono>
#include <random>

namespace pgat {

class Backoff {
  public:
    using Duration = std::chrono::milliseconds;

    Backoff(Duration initial, Duration max, std::uint64_t seed = std::random_device{}());

    // The wait before the next try; each call doubles the one after it.
    Duration next();
    // The last try worked: begin again from `initial`.
    void reset() noexcept { current_ = initial_; }

  private:
    Duration initial_;
    Duration max_;
    Duration current_;
    std::minstd_rand random_;
};

} // namespace pgat
