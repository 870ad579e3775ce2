#include "daemon/run.hpp"

#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "daemon/supervisor.hpp"
#include "observe/log.hpp"

namespace pgat::daemon {

namespace {

using Clock = std::chrono::steady_clock;

constexpr observe::Log log{"daemon"};

// SIGTERM and SIGINT as something to poll; blocked for this thread and those it starts.
class StopSignals {
  public:
    StopSignals() {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        pthread_sigmask(SIG_BLOCK, &set, nullptr);
        // A reader of our output that goes away must not take us with it.
        std::signal(SIGPIPE, SIG_IGN);
        fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
    }
    ~StopSignals() { ::close(fd_); }
    StopSignals(const StopSignals &) = delete;
    StopSignals &operator=(const StopSignals &) = delete;

    int fd() const noexcept { return fd_; }
    // The signal that came, as its name.
    const char *take() const {
        signalfd_siginfo info{};
        if (::read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return nullptr;
        return info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT";
    }

  private:
    int fd_;
};

// Waits for a stop signal or the daemon's end.
void wait_for(const StopSignals &signals, const Wakeup &ended, Clock::time_point until) {
    pollfd watched[2] = {{signals.fd(), POLLIN, 0}, {ended.fd(), POLLIN, 0}};
    int left = -1;
    if (until != Clock::time_point::max())
        left = static_cast<int>(std::max<std::int64_t>(
            0, std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count()));
    ::poll(watched, 2, left);
}

} // namespace

int run(const config::Config &config) {
    const StopSignals signals;
    Halt halt;
    Wakeup ended;
    Supervisor supervisor(config, halt);
    std::atomic<bool> over{false};
    int status = 1;
    std::thread delivery([&] {
        status = supervisor.run();
        over = true;
        ended.ring();
    });

    while (!over && !halt.stopping()) {
        wait_for(signals, ended, Clock::time_point::max());
        if (const char *name = signals.take()) {
            log.info("stopping: finishing the batch in hand", {{"signal", name}});
            halt.stop();
        }
    }
    // Half of the time is the sink's to finish its batch, unless a second signal hurries it; then it is told to
    // return. At the end of the time nothing holds us any more.
    const auto timeout = config.stream.shutdown_timeout;
    const auto patience = Clock::now() + timeout / 2;
    const auto limit = Clock::now() + timeout;
    bool cancelled = false;
    while (!over && Clock::now() < limit) {
        wait_for(signals, ended, cancelled ? limit : patience);
        const bool hurried = signals.take() != nullptr;
        if (!over && !cancelled && (hurried || Clock::now() >= patience)) {
            supervisor.cancel_sink();
            cancelled = true;
        }
    }
    if (!over) {
        log.error(
            "the sink did not return in time and is left behind",
            {{"consequence", "events delivered since the cursor was last stored come again"}});
        // Threads are still at work with what destructors would take away.
        ::_exit(1);
    }
    delivery.join();
    return status;
}

} // namespace pgat::daemon
