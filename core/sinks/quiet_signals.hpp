// What the ABI promises a plugin about signals: while it runs, all of them are blocked but those that
// report a crash. A write to a closed socket or pipe then fails with EPIPE instead of killing the
// daemon, and threads that a client library starts inherit a mask that leaves the daemon's signals to
// the daemon.
//
// Lives on the stack of the calling thread for the length of one call; restores the mask it found.
#pragma once

#include <csignal>
#include <ctime>
#include <initializer_list>

namespace pgat::sinks {

class QuietSignals {
  public:
    QuietSignals() noexcept {
        sigset_t pending;
        sigpending(&pending);
        had_pipe_ = sigismember(&pending, SIGPIPE) == 1;
        sigset_t quiet;
        sigfillset(&quiet);
        for (const int crash : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS})
            sigdelset(&quiet, crash);
        pthread_sigmask(SIG_BLOCK, &quiet, &before_);
    }
    ~QuietSignals() {
        if (!had_pipe_ && sigismember(&before_, SIGPIPE) == 0) take_pipe();
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    QuietSignals(const QuietSignals &) = delete;
    QuietSignals &operator=(const QuietSignals &) = delete;

  private:
    // Removes a SIGPIPE that arose meanwhile, before it can be delivered.
    static void take_pipe() noexcept {
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        const timespec now{};
        while (sigtimedwait(&pipe, nullptr, &now) == SIGPIPE) {
        }
    }

    sigset_t before_{};
    bool had_pipe_ = false;
};

} // namespace pgat::sinks
