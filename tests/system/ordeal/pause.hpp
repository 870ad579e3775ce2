// Waiting between two acts, which ends at once when the play is over.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace pgat::ordeal {

class Pause {
  public:
    // True: over, and no use to go on.
    bool wait(std::chrono::milliseconds time) const {
        std::unique_lock lock(mutex_);
        return ended_.wait_for(lock, time, [this] { return over_; });
    }
    bool over() const {
        const std::lock_guard lock(mutex_);
        return over_;
    }
    void end() {
        {
            const std::lock_guard lock(mutex_);
            over_ = true;
        }
        ended_.notify_all();
    }

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable ended_;
    bool over_ = false;
};

} // namespace pgat::ordeal
