#include "base/halt.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>

namespace pgat {

void Halt::ring() noexcept {
    halted_ = true;
    bell_.ring();
    const std::lock_guard lock(mutex_);
    if (wake_) wake_();
}

Halt::Waker::Waker(Halt &halt, std::function<void()> wake) : halt_(halt) {
    const std::lock_guard lock(halt_.mutex_);
    halt_.wake_ = std::move(wake);
}

Halt::Waker::~Waker() {
    const std::lock_guard lock(halt_.mutex_);
    halt_.wake_ = nullptr;
}

void Halt::stop() noexcept {
    stopping_ = true;
    ring();
}

void Halt::begin_session() noexcept {
    bell_.clear();
    halted_ = false;
    // stop() may have come in between.
    if (stopping_) ring();
}

bool Halt::wait_for(std::chrono::milliseconds time) const {
    const auto until = std::chrono::steady_clock::now() + time;
    pollfd bell{bell_.fd(), POLLIN, 0};
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        const auto bounded = std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 1 << 30);
        const int ready = ::poll(&bell, 1, static_cast<int>(bounded));
        if (ready > 0) return true;
        if (ready == 0) return false;
        if (errno != EINTR) return halted();
    }
}

} // namespace pgat
