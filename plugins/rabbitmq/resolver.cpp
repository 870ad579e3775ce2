#include "rabbitmq/resolver.hpp"

#include <cstring>
#include <system_error>
#include <thread>

#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "rabbitmq/descriptor.hpp"

namespace pgat::rabbitmq {

namespace {

struct Answer {
    std::vector<Address> addresses;
    int error = 0; // of getaddrinfo
};

Answer ask(const std::string &host, std::uint16_t port, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo *list = nullptr;
    Answer answer;
    answer.error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
    if (answer.error != 0) return answer;
    for (const addrinfo *one = list; one != nullptr; one = one->ai_next) {
        Address address;
        std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
        address.size = one->ai_addrlen;
        answer.addresses.push_back(address);
    }
    ::freeaddrinfo(list);
    return answer;
}

} // namespace

struct Resolver::Lookup {
    Lookup(std::string of_host, std::uint16_t of_port)
        : host(std::move(of_host)), port(of_port), done(::eventfd(0, EFD_CLOEXEC)) {
        if (done.get() < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
        thread = std::thread([this] {
            answer = ask(host, port, 0);
            ::eventfd_write(done.get(), 1);
        });
    }
    ~Lookup() {
        if (thread.joinable()) thread.join();
    }
    // Once `done` is readable.
    Answer take() {
        thread.join();
        return std::move(answer);
    }
    Lookup(const Lookup &) = delete;
    Lookup &operator=(const Lookup &) = delete;

    const std::string host;
    const std::uint16_t port;
    Descriptor done; // readable once `answer` is there
    Answer answer;
    std::thread thread;
};

Resolver::Resolver() = default;
Resolver::~Resolver() = default;

std::vector<Address> Resolver::resolve(const std::string &host, std::uint16_t port,
                                       const Patience &patience, plugin::TimePoint until) {
    if (Answer numeric = ask(host, port, AI_NUMERICHOST); numeric.error == 0)
        return numeric.addresses;
    Answer answer;
    for (bool ours = false; !ours;) {
        if (!lookup_) lookup_ = std::make_unique<Lookup>(host, port);
        if (!patience.wait_or_stop(lookup_->done.get(), POLLIN, until))
            throw plugin::Failure(PGAT_E_UNAVAILABLE,
                                  host +
                                      ": DNS gives no answer: check the name and /etc/resolv.conf");
        ours = lookup_->host == host && lookup_->port == port;
        answer = lookup_->take();
        lookup_.reset();
    }
    if (answer.error != 0)
        throw plugin::Failure(PGAT_E_UNAVAILABLE, host + ": " + ::gai_strerror(answer.error) +
                                                      ": check the host's name");
    return answer.addresses;
}

} // namespace pgat::rabbitmq
