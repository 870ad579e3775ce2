// Turns a broker's name into addresses on a thread of its own: getaddrinfo() waits for as long as DNS likes,
// and a call of the host must end when it is told to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "rabbitmq/patience.hpp"

namespace pgat::rabbitmq {

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

class Resolver {
  public:
    Resolver();
    // Joins the thread; where DNS hangs this takes as long as the system's resolver does.
    ~Resolver();
    Resolver(const Resolver &) = delete;
    Resolver &operator=(const Resolver &) = delete;

    // The addresses of the host, at least one. Throws Failure: PGAT_E_CANCELLED, or PGAT_E_UNAVAILABLE with the
    // reason. A look-up that was left behind is gone on with by the next call for the same name.
    std::vector<Address> resolve(const std::string &host, std::uint16_t port,
                                 const Patience &patience, plugin::TimePoint until);

  private:
    struct Lookup;
    std::unique_ptr<Lookup> lookup_;
};

} // namespace pgat::rabbitmq
