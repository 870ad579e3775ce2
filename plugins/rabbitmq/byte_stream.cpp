#include "rabbitmq/byte_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

namespace pgat::rabbitmq {

namespace {

using plugin::Failure;
using plugin::TimePoint;

std::string error_text(int error) { return std::generic_category().message(error); }

// A socket connected to the address; without one `why` says why not.
Descriptor connect_to(const Address &address, const Patience &patience, TimePoint until,
                      std::string &why) {
    Descriptor socket(
        ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket.get() < 0) {
        why = error_text(errno);
        return {};
    }
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    const auto *const generic = reinterpret_cast<const sockaddr *>(&address.storage);
    if (::connect(socket.get(), generic, address.size) == 0) return socket;
    int error = errno;
    if (error == EINPROGRESS) {
        if (!patience.wait_or_stop(socket.get(), POLLOUT, until)) {
            why = "no connection in time";
            return {};
        }
        socklen_t size = sizeof error;
        ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error == 0) return socket;
    }
    why = error_text(error);
    return {};
}

} // namespace

ByteStream::ByteStream(const Broker &broker, const Tls &tls, Resolver &resolver,
                       const Patience &patience, TimePoint until)
    : tls_(tls) {
    if (broker.tls) ssl_ = make_tls(tls, broker.host);
    for (const Address &address : resolver.resolve(broker.host, broker.port, patience, until)) {
        socket_ = connect_to(address, patience, until, why_);
        if (socket_.get() >= 0) break;
    }
    if (socket_.get() < 0) throw Failure(PGAT_E_UNAVAILABLE, broker.name() + ": " + why_);
    if (ssl_) shake_hands(broker, patience, until);
}

void ByteStream::shake_hands(const Broker &broker, const Patience &patience, TimePoint until) {
    if (SSL_set_fd(ssl_.get(), socket_.get()) != 1) throw std::bad_alloc();
    while (true) {
        const Io io = tls_result(SSL_do_handshake(ssl_.get()));
        if (io == Io::done) return;
        if (io == Io::closed) throw Failure(PGAT_E_UNAVAILABLE, broker.name() + ": " + why_);
        const short events = io == Io::wants_to_write ? POLLOUT : POLLIN;
        if (!patience.wait_or_stop(socket_.get(), events, until))
            throw Failure(PGAT_E_UNAVAILABLE,
                          broker.name() +
                              ": TLS gets no answer: is this the broker's port for TLS?");
    }
}

ByteStream::Io ByteStream::tls_result(int returned) {
    if (returned > 0) return Io::done;
    const int error = errno;
    switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
        return Io::wants_to_read;
    case SSL_ERROR_WANT_WRITE:
        return Io::wants_to_write;
    case SSL_ERROR_ZERO_RETURN:
        why_ = "the broker closed the connection";
        break;
    case SSL_ERROR_SYSCALL:
        why_ = error == 0 ? "the broker closed the connection" : error_text(error);
        break;
    default:
        why_ = tls_trouble(ssl_.get(), tls_);
    }
    ERR_clear_error();
    return Io::closed;
}

ByteStream::Io ByteStream::read(char *to, std::size_t room, std::size_t &got) {
    got = 0;
    if (ssl_) {
        ERR_clear_error();
        errno = 0;
        return tls_result(SSL_read_ex(ssl_.get(), to, room, &got));
    }
    const ssize_t count = ::recv(socket_.get(), to, room, 0);
    if (count > 0) {
        got = static_cast<std::size_t>(count);
        return Io::done;
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return Io::wants_to_read;
    why_ = count == 0 ? "the broker closed the connection" : error_text(errno);
    return Io::closed;
}

ByteStream::Io ByteStream::write(const char *from, std::size_t size, std::size_t &put) {
    put = 0;
    if (ssl_) {
        ERR_clear_error();
        errno = 0;
        return tls_result(SSL_write_ex(ssl_.get(), from, size, &put));
    }
    const ssize_t count = ::send(socket_.get(), from, size, MSG_NOSIGNAL);
    if (count >= 0) {
        put = static_cast<std::size_t>(count);
        return Io::done;
    }
    if (errno == EAGAIN || errno == EINTR) return Io::wants_to_write;
    why_ = error_text(errno);
    return Io::closed;
}

void ByteStream::abandon() const noexcept {
    const linger at_once{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

} // namespace pgat::rabbitmq
