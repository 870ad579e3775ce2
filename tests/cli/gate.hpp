// Holds a receiver's answers back until it is opened.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace pgat::cli {

class Gate {
  public:
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::seconds(30), [this] { return open_; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

} // namespace pgat::cli
