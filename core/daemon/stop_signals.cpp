#include "daemon/stop_signals.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace pgat::daemon {

using Clock = std::chrono::steady_clock;

StopSignals::StopSignals() {
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

StopSignals::~StopSignals() { ::close(fd_); }

void StopSignals::wait_for(const Wakeup &other, Clock::time_point until) const {
    pollfd watched[2] = {{fd_, POLLIN, 0}, {other.fd(), POLLIN, 0}};
    int left = -1;
    if (until != Clock::time_point::max())
        left = static_cast<int>(std::max<std::int64_t>(
            0, std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count()));
    ::poll(watched, 2, left);
}

const char *StopSignals::take() const {
    signalfd_siginfo info{};
    if (::read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return nullptr;
    return info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT";
}

} // namespace pgat::daemon
