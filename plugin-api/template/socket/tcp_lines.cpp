// A complete sink for a receiver on the network: sends each event as a line over TCP, and waits for a
// line: "ok", or why the receiver will never take it. Copy the folder, give it a name of its own, and
// put your protocol where the lines are.
#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include <netdb.h>
#include <pgat/sink.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace pgat::plugin;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

class LineSink {
  public:
    LineSink(Host host, std::string_view config)
        : host_(host), name_(host.text(config, "/host").value()),
          timeout_(host.integer(config, "/timeout_ms").value_or(5000)) {
        const std::string port = std::to_string(host.integer(config, "/port").value());
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        // A name would wait for DNS, and not only once: see README.md, "Cancellation and deadlines".
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
        if (::getaddrinfo(name_.c_str(), port.c_str(), &hints, &address_) != 0)
            throw Failure(PGAT_E_CONFIG, "host: write an address, as in 127.0.0.1");
        name_ += ':' + port;
    }
    ~LineSink() {
        drop();
        ::freeaddrinfo(address_);
    }
    LineSink(const LineSink &) = delete;
    LineSink &operator=(const LineSink &) = delete;

    // One after the other keeps the order. What is left when it throws comes again.
    void publish(const Batch &batch, Outcomes &outcomes) {
        begin(batch.cancel_fd(), batch.deadline());
        connect();
        for (std::uint32_t i = 0; i < batch.size(); ++i) {
            begin(batch.cancel_fd(), batch.deadline());
            line_.assign("{\"id\":\"").append(batch[i].id()).append("\",\"payload\":");
            line_.append(batch[i].payload()).append("}");
            std::replace(line_.begin(), line_.end(), '\n', ' '); // JSON is the same with blanks
            send(line_ += '\n');
            const std::string answer = receive();
            if (answer == "ok")
                outcomes.delivered(i);
            else
                outcomes.rejected(i, name_ + " answers: " + answer);
        }
    }

    void probe(TimePoint deadline) {
        begin(host_.cancel_fd(), deadline);
        connect();
    }

  private:
    void begin(int cancel_fd, TimePoint deadline) {
        if (host_.cancelled() || steady_clock::now() >= deadline)
            throw Failure(PGAT_E_CANCELLED, name_ + ": stopped before the next event");
        cancel_fd_ = cancel_fd;
        end_ = std::min(deadline, steady_clock::now() + timeout_);
        stopping_ = end_ == deadline;
    }

    // Until the socket is ready. Cancellation leaves what is under way a moment to be answered. An
    // answer that comes too late would be taken for that to the next event: so no connection outlives
    // a failure.
    void wait(short what) {
        for (;;) {
            pollfd both[] = {{socket_, what, 0}, {cancel_fd_, POLLIN, 0}};
            ::poll(both, cancel_fd_ < 0 ? 1 : 2, poll_timeout(end_));
            if (both[0].revents != 0) return; // an error, too: the next call says which
            if (steady_clock::now() >= end_) {
                drop();
                throw Failure(stopping_ ? PGAT_E_CANCELLED : PGAT_E_UNAVAILABLE,
                              name_ + (stopping_ ? ": stopped while waiting" : ": no answer"));
            }
            if (both[1].revents != 0) {
                cancel_fd_ = -1;
                stopping_ = true;
                end_ = std::min(end_, steady_clock::now() + milliseconds(300));
            }
        }
    }

    // Keeps the connection, unless the receiver has closed it or said what nobody asked for.
    void connect() {
        char unasked = 0;
        if (socket_ >= 0 && ::recv(socket_, &unasked, 1, MSG_PEEK) < 0 && errno == EAGAIN) return;
        drop();
        socket_ =
            ::socket(address_->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
        if (socket_ < 0) fail(errno);
        if (::connect(socket_, address_->ai_addr, address_->ai_addrlen) == 0) return;
        if (errno != EINPROGRESS) fail(errno);
        wait(POLLOUT);
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) fail(error);
    }
    void send(std::string_view left) {
        while (!left.empty()) {
            const ssize_t taken = ::send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
            if (taken >= 0)
                left.remove_prefix(static_cast<std::size_t>(taken));
            else if (errno == EAGAIN)
                wait(POLLOUT);
            else
                fail(errno);
        }
    }
    std::string receive() {
        std::string line;
        while (line.empty() || line.back() != '\n') {
            char some[256];
            const ssize_t came = ::recv(socket_, some, sizeof some, 0);
            if (came == 0 || line.size() > 4096) fail(ECONNRESET);
            if (came > 0)
                line.append(some, static_cast<std::size_t>(came));
            else if (errno == EAGAIN)
                wait(POLLIN);
            else
                fail(errno);
        }
        line.pop_back();
        if (line.find('\n') != std::string::npos) fail(EPROTO); // whose answer is the second?
        return line;
    }
    // No connection is an outage: nobody is to blame, and everything comes again.
    [[noreturn]] void fail(int error) {
        drop();
        throw Failure(PGAT_E_UNAVAILABLE, name_ + ": " + std::system_category().message(error));
    }
    void drop() {
        if (socket_ >= 0) ::close(socket_);
        socket_ = -1;
    }

    Host host_;
    std::string name_; // the receiver's, for messages
    milliseconds timeout_;
    std::string line_;
    addrinfo *address_ = nullptr;
    int socket_ = -1;
    int cancel_fd_ = -1;
    TimePoint end_;         // of the wait for one answer
    bool stopping_ = false; // the daemon's end, not the receiver's
};

} // namespace

PGAT_EXPORT_SINK(LineSink, .type = "tcp_lines", .version = "1.0.0",
                 .description = "sends events over TCP, one a line", .license = "MIT",
                 .config_schema = R"({
                     "type": "object", "required": ["host", "port"], "additionalProperties": false,
                     "properties": {
                         "host": {"type": "string", "minLength": 1},
                         "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                         "timeout_ms": {"type": "integer", "minimum": 1, "maximum": 600000,
                                        "default": 5000}}})")
