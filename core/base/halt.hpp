// Why the threads of a session stop: the program is asked to end, or a part of the session has failed.
//
// Every wait of the daemon watches bell(): it rings for both and stays rung until begin_session(). What waits
// for something else than a file descriptor is woken by the Waker. One supervisor calls begin_session();
// everything else may be called from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>

#include "base/wakeup.hpp"

namespace pgat {

class Halt {
  public:
    // The program is to end. Never taken back.
    void stop() noexcept;
    // This session is over, the next one may begin.
    void end_session() noexcept { ring(); }
    // Silences the bell, unless the program is to end.
    void begin_session() noexcept;

    bool stopping() const noexcept { return stopping_.load(); }
    bool halted() const noexcept { return halted_.load(); }
    // Waits; true: halted before the time was up.
    bool wait_for(std::chrono::milliseconds time) const;

    const Wakeup &bell() const noexcept { return bell_; }

    // While it stands, `wake` is called, on the halting thread, whenever the bell rings. It must not block,
    // throw, or call back. One at a time.
    class Waker {
      public:
        Waker(Halt &halt, std::function<void()> wake);
        ~Waker();
        Waker(const Waker &) = delete;
        Waker &operator=(const Waker &) = delete;

      private:
        Halt &halt_;
    };

  private:
    void ring() noexcept;

    std::atomic<bool> stopping_{false};
    std::atomic<bool> halted_{false};
    Wakeup bell_;
    std::mutex mutex_;
    std::function<void()> wake_;
};

} // namespace pgat
