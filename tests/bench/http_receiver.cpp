// The receiving end of the HTTP measurement, the same for both sides: one thread, keep-alive, answers 204 to
// every POST, and to GET with "<requests> <ns of the first> <ns of the last>". Prints its port.
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

struct Tally {
    std::uint64_t requests = 0;
    std::int64_t first = 0;
    std::int64_t last = 0;

    void count() {
        last = std::chrono::steady_clock::now().time_since_epoch().count();
        if (requests++ == 0) first = last;
    }
};

std::size_t body_length(std::string_view head) {
    for (const std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
        const auto at = head.find(name);
        if (at == std::string_view::npos) continue;
        std::size_t length = 0;
        std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
        return length;
    }
    return 0;
}

// Takes whole requests off the front of `input` and gives the answers to them.
std::string answers(std::string &input, Tally &tally) {
    std::string out;
    std::size_t done = 0;
    for (;;) {
        const std::string_view rest = std::string_view(input).substr(done);
        const auto end = rest.find("\r\n\r\n");
        if (end == std::string_view::npos) break;
        const std::size_t whole = end + 4 + body_length(rest.substr(0, end + 2));
        if (rest.size() < whole) break;
        if (rest.starts_with("POST")) {
            tally.count();
            out += "HTTP/1.1 204 No Content\r\n\r\n";
        } else {
            const std::string body = std::to_string(tally.requests) + " " +
                                     std::to_string(tally.first) + " " + std::to_string(tally.last);
            out += "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                   "\r\n\r\n" + body;
        }
        done += whole;
    }
    input.erase(0, done);
    return out;
}

int listening() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto *const any = reinterpret_cast<sockaddr *>(&address);
    if (fd < 0 || ::bind(fd, any, size) != 0 || ::listen(fd, 1024) != 0 ||
        ::getsockname(fd, any, &size) != 0)
        throw std::runtime_error("cannot listen on the loopback address");
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    return fd;
}

void watch(int poller, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

} // namespace

int main() try {
    const int listener = listening();
    const int poller = ::epoll_create1(EPOLL_CLOEXEC);
    watch(poller, listener);
    std::unordered_map<int, std::string> inputs;
    Tally tally;
    for (;;) {
        epoll_event event{};
        if (::epoll_wait(poller, &event, 1, -1) < 0 && errno != EINTR) return EXIT_FAILURE;
        const int fd = event.data.fd;
        if (fd == listener) {
            const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
            if (client < 0) continue;
            const int on = 1;
            ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
            inputs[client];
            watch(poller, client);
            continue;
        }
        char buffer[65536];
        const ssize_t size = ::read(fd, buffer, sizeof(buffer));
        if (size <= 0) {
            inputs.erase(fd);
            ::close(fd);
            continue;
        }
        std::string &input = inputs[fd];
        input.append(buffer, static_cast<std::size_t>(size));
        const std::string out = answers(input, tally);
        if (!out.empty() && ::write(fd, out.data(), out.size()) < 0) return EXIT_FAILURE;
    }
} catch (const std::exception &exception) {
    std::fprintf(stderr, "http_receiver: %s\n", exception.what());
    return EXIT_FAILURE;
}
