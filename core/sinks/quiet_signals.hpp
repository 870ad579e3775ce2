// What the ABI promises a plugin about signals: while it runs, all of them are blocked but those that
// report a crash. A write to a closed connection then fails with EPIPE, and one beyond the limit of a
// file's size with EFBIG, instead of killing the daemon; and threads that a client library starts
// inherit a mask that leaves the daemon's signals to the daemon.
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
        sigpending(&pending_before_);
        sigset_t quiet;
        sigfillset(&quiet);
        for (const int crash : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS})
            sigdelset(&quiet, crash);
        pthread_sigmask(SIG_BLOCK, &quiet, &before_);
    }
    ~QuietSignals() {
        for (const int number : {SIGPIPE, SIGXFSZ}) // what a write raises beside its error
            if (sigismember(&pending_before_, number) == 0 && sigismember(&before_, number) == 0)
                take(number);
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    QuietSignals(const QuietSignals &) = delete;
    QuietSignals &operator=(const QuietSignals &) = delete;

  private:
    // Removes one that arose meanwhile, before it can be delivered.
    static void take(int number) noexcept {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, number);
        const timespec now{};
        while (sigtimedwait(&set, nullptr, &now) == number) {
        }
    }

    sigset_t before_{};
    sigset_t pending_before_{};
};

} // namespace pgat::sinks
