#include "memory/lines.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pgat::memory {

namespace {

constexpr int wait_ms = 100;

// A regular file takes any write at once; a pipe, a socket or a terminal may not.
bool is_regular(int fd) noexcept {
    struct stat status {};
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

} // namespace

Lines::Lines(int fd) : fd_(fd), may_block_(!is_regular(fd)) {}

void Lines::add(std::string_view text) {
    if (torn_ && pending_.empty()) pending_.push_back('\n');
    pending_.append(text).push_back('\n');
}

Lines::End Lines::write_some(std::string_view &left, int cancel_fd) const {
    std::size_t size = left.size();
    if (may_block_) {
        std::array<pollfd, 2> fds{{{fd_, POLLOUT, 0}, {cancel_fd, POLLIN, 0}}};
        if (poll(fds.data(), fds.size(), wait_ms) < 0)
            return errno == EINTR ? End::written : End::failed;
        if ((fds[1].revents & POLLIN) != 0) return End::cancelled;
        if (fds[0].revents == 0) return End::written;
        // Writable promises room for this much and no more.
        size = std::min<std::size_t>(size, PIPE_BUF);
    }
    const ssize_t count = ::write(fd_, left.data(), size);
    if (count < 0) return errno == EINTR || errno == EAGAIN ? End::written : End::failed;
    left.remove_prefix(static_cast<std::size_t>(count));
    return End::written;
}

std::size_t Lines::forget(std::size_t written) {
    const std::string_view out = std::string_view(pending_).substr(0, written);
    auto lines = static_cast<std::size_t>(std::count(out.begin(), out.end(), '\n'));
    if (torn_ && !out.empty()) --lines; // that one ended the torn line
    if (!out.empty()) torn_ = out.back() != '\n';
    pending_.clear();
    return lines;
}

} // namespace pgat::memory
