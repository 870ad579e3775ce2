#include "rabbitmq/patience.hpp"

#include <algorithm>
#include <array>

#include <poll.h>

namespace pgat::rabbitmq {

namespace {

using std::chrono::milliseconds;

// How often the host is asked where it gave no descriptor.
constexpr milliseconds look_again{100};

} // namespace

short Patience::wait(int fd, short events, plugin::TimePoint until) const {
    until = std::min(until, deadline_);
    while (true) {
        const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
        const bool blind = cancel_fd_ < 0 && !deaf_;
        const auto step =
            std::clamp(left, milliseconds(0), blind ? look_again : milliseconds(60000));
        std::array<pollfd, 2> watched{{{fd, events, 0}, {deaf_ ? -1 : cancel_fd_, POLLIN, 0}}};
        ::poll(watched.data(), watched.size(), static_cast<int>(step.count()));
        if (watched[0].revents != 0) return watched[0].revents;
        if (!deaf_ && (watched[1].revents != 0 || host_.cancelled())) return 0;
        if (std::chrono::steady_clock::now() >= until) return 0;
    }
}

bool Patience::wait_or_stop(int fd, short events, plugin::TimePoint until) const {
    if (!deaf_ && cancelled())
        throw plugin::Failure(PGAT_E_CANCELLED, "stopped while connecting to the broker");
    if (wait(fd, events, until) != 0) return true;
    if (!deaf_ && cancelled())
        throw plugin::Failure(PGAT_E_CANCELLED, "stopped while connecting to the broker");
    return false;
}

} // namespace pgat::rabbitmq
