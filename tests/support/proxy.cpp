#include "support/proxy.hpp"

#include <cstring>
#include <list>
#include <stdexcept>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pgat::support {

namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

// Both halves of a proxied connection. A dead one keeps its sockets open and moves nothing.
struct Pair {
    Pair(int first, int second) : ends{first, second} {}
    ~Pair() {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    Pair(const Pair &) = delete;
    Pair &operator=(const Pair &) = delete;

    // Closing then sends a RST.
    void break_off() {
        const linger at_once{1, 0};
        for (const int end : ends)
            ::setsockopt(end, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }

    int ends[2];
    bool dead = false;
};

// Moves what is readable; false: one side has closed.
bool forward(int from, int to) {
    char block[65536];
    const auto got = ::recv(from, block, sizeof block, MSG_DONTWAIT);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    for (ssize_t sent = 0; sent < got;) {
        const auto now =
            ::send(to, block + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
        if (now <= 0) return false;
        sent += now;
    }
    return true;
}

} // namespace

Proxy::Proxy(std::uint16_t server_port)
    : servers_{server_port}, listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    auto *const generic = reinterpret_cast<sockaddr *>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, generic, &size) != 0)
        throw std::runtime_error("the proxy cannot listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
}

Proxy::~Proxy() {
    over_ = true;
    bell_.ring();
    thread_.join();
    ::close(listener_);
}

void Proxy::lead_to(std::vector<std::uint16_t> server_ports) {
    const std::lock_guard lock(mutex_);
    servers_ = std::move(server_ports);
    next_server_ = 0;
}

std::uint16_t Proxy::next_server() {
    const std::lock_guard lock(mutex_);
    return servers_[next_server_++ % servers_.size()];
}

void Proxy::run() {
    std::list<Pair> pairs;
    while (!over_) {
        if (reset_.exchange(false)) {
            for (auto &pair : pairs)
                pair.break_off();
            pairs.clear();
        }
        const bool cut = cut_;
        if (cut)
            for (auto &pair : pairs)
                pair.dead = true;
        std::vector<pollfd> watched{{bell_.fd(), POLLIN, 0}, {cut ? -1 : listener_, POLLIN, 0}};
        for (const auto &pair : pairs)
            for (const int end : pair.ends)
                watched.push_back({pair.dead ? -1 : end, POLLIN, 0});
        ::poll(watched.data(), watched.size(), -1);
        if (watched[0].revents != 0) {
            bell_.clear();
            continue;
        }
        std::size_t at = 2;
        for (auto pair = pairs.begin(); pair != pairs.end(); at += 2) {
            bool open = true;
            if (watched[at].revents != 0) open = forward(pair->ends[0], pair->ends[1]);
            if (open && watched[at + 1].revents != 0) open = forward(pair->ends[1], pair->ends[0]);
            pair = open ? std::next(pair) : pairs.erase(pair);
        }
        if (watched[1].revents != 0) {
            const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            const auto address = loopback(next_server());
            if (client < 0 || ::connect(server, reinterpret_cast<const sockaddr *>(&address),
                                        sizeof address) != 0) {
                ::close(client);
                ::close(server);
                continue;
            }
            pairs.emplace_back(client, server);
        }
    }
}

} // namespace pgat::support
