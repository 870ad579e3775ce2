// A connected socket, with TLS or without, that never waits: whoever uses it polls.
#pragma once

#include <cstddef>
#include <string>

#include "rabbitmq/descriptor.hpp"
#include "rabbitmq/resolver.hpp"
#include "rabbitmq/settings.hpp"
#include "rabbitmq/tls.hpp"

namespace pgat::rabbitmq {

class ByteStream {
  public:
    enum class Io {
        done,
        wants_to_read, // again when the socket is readable
        wants_to_write,
        closed, // why() says how
    };

    // Connects to one of the addresses, shakes hands, and returns. Throws Failure: PGAT_E_CANCELLED, or
    // PGAT_E_UNAVAILABLE with a reason that says what to do.
    ByteStream(const Broker &broker, const Tls &tls, Resolver &resolver, const Patience &patience,
               plugin::TimePoint until);
    ByteStream(const ByteStream &) = delete;
    ByteStream &operator=(const ByteStream &) = delete;

    int fd() const noexcept { return socket_.get(); }
    Io read(char *to, std::size_t room, std::size_t &got);
    Io write(const char *from, std::size_t size, std::size_t &put);
    const std::string &why() const noexcept { return why_; }

    // Closing it then sends a RST: what lies in buffers on either side is thrown away, instead of arriving at
    // some later time.
    void abandon() const noexcept;

  private:
    Io tls_result(int returned);
    void shake_hands(const Broker &broker, const Patience &patience, plugin::TimePoint until);

    const Tls &tls_;
    Descriptor socket_;
    Ssl ssl_;
    std::string why_;
};

} // namespace pgat::rabbitmq
