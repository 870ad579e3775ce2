#include "support/line_receiver.hpp"

#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pgat::support {

LineReceiver::LineReceiver() { come_back(); }

LineReceiver::~LineReceiver() { go_away(); }

void LineReceiver::listen() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    socklen_t size = sizeof address;
    auto *const any = reinterpret_cast<sockaddr *>(&address);
    if (::bind(listener_, any, size) != 0 || ::listen(listener_, 128) != 0 ||
        ::getsockname(listener_, any, &size) != 0)
        throw std::system_error(errno, std::generic_category(), "a port of 127.0.0.1");
    port_ = ntohs(address.sin_port);
}

void LineReceiver::come_back() {
    listen();
    stop_ = ::eventfd(0, EFD_CLOEXEC);
    server_ = std::thread([this] { serve(); });
}

void LineReceiver::go_away() {
    if (!server_.joinable()) return;
    ::eventfd_write(stop_, 1);
    server_.join();
    for (const auto &[connection, line] : begun_)
        ::close(connection);
    begun_.clear();
    ::close(listener_);
    ::close(stop_);
}

std::string LineReceiver::lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
}

void LineReceiver::answer_with(std::string answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
}

void LineReceiver::serve() {
    for (;;) {
        std::vector<pollfd> polled = {{stop_, POLLIN, 0}, {listener_, POLLIN, 0}};
        for (const auto &[connection, line] : begun_)
            polled.push_back({connection, POLLIN, 0});
        ::poll(polled.data(), polled.size(), -1);
        if (polled[0].revents != 0) return;
        for (std::size_t i = 2; i < polled.size(); ++i)
            if (polled[i].revents != 0) take(polled[i].fd);
        if (polled[1].revents != 0) {
            const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (connection >= 0) begun_[connection];
        }
    }
}

void LineReceiver::take(int connection) {
    std::array<char, 65536> some;
    const ssize_t came = ::recv(connection, some.data(), some.size(), 0);
    if (came <= 0) {
        ::close(connection);
        begun_.erase(connection);
        return;
    }
    std::string &begun = begun_[connection];
    for (const char c : std::string_view(some.data(), static_cast<std::size_t>(came))) {
        begun += c;
        if (c != '\n') continue;
        const std::lock_guard lock(mutex_);
        lines_ += begun;
        begun.clear();
        if (answer_.empty()) continue;
        const std::string answer = answer_ + "\n";
        ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
}

} // namespace pgat::support
