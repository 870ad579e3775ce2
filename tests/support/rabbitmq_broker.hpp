// A RabbitMQ broker of the test's own: fresh, on free ports, in a temporary folder, with an Erlang port mapper
// of its own, gone with the object. Debian's rabbitmq-server, without its service.
//
// Users: guest (all rights), reader (may write nowhere), localhost (by the client certificate alone). Vhosts:
// "/" and "other". Queues whose names begin with "full" hold one message and refuse more; no message may be
// larger than max_message_size. One thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "support/certificate.hpp"
#include "support/process.hpp"
#include "support/temporary_folder.hpp"

namespace pgat::support {

class RabbitmqBroker {
  public:
    static constexpr std::size_t max_message_size = 2000000;

    // Starts it and waits until it takes connections.
    RabbitmqBroker();
    ~RabbitmqBroker();
    RabbitmqBroker(const RabbitmqBroker &) = delete;
    RabbitmqBroker &operator=(const RabbitmqBroker &) = delete;

    std::uint16_t port() const noexcept { return port_; }
    std::uint16_t tls_port() const noexcept { return tls_port_; }
    // What it shows as its own and takes from clients.
    const Certificate &certificate() const noexcept { return certificate_; }
    // amqp://guest:guest@127.0.0.1:<port>/, or of another port: a proxy's.
    std::string uri(std::uint16_t port = 0) const;

    // SIGKILL. What was confirmed is there after start().
    void kill();
    void start();

    // Makes it believe that its disk is full, so that it blocks who publishes; and that it is not.
    void fill_disk() const;
    void free_disk() const;
    // Evaluates an Erlang expression in the broker; what it printed of the result.
    std::string evaluate(const std::string &expression) const;
    // Its log, for when a test fails.
    std::string log() const;

  private:
    void write_configuration() const;

    TemporaryFolder folder_{"rabbitmq"};
    Certificate certificate_;
    std::uint16_t port_;
    std::uint16_t tls_port_;
    std::uint16_t distribution_port_;
    std::uint16_t port_mapper_port_;
    Process::Options environment_;
    std::unique_ptr<Process> port_mapper_;
    std::unique_ptr<Process> broker_;
};

} // namespace pgat::support
