// A plain AMQP client, by rabbitmq-c's own connection and calls, none of which the sink uses: what tests look
// at a broker with. Every function throws std::runtime_error with the broker's reason.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <amqp.h>

namespace pgat::support {

struct ReceivedMessage {
    std::string body;
    std::string exchange;
    std::string routing_key;
    std::string message_id;
    std::string content_type;
    std::string type;
    std::string app_id;
    std::string correlation_id;
    std::string expiration;
    int priority = -1;
    int delivery_mode = 0;
    std::uint64_t timestamp = 0;
    std::map<std::string, std::string> headers; // numbers and truths as texts
};

class AmqpClient {
  public:
    explicit AmqpClient(std::uint16_t port, const std::string &vhost = "/");

    void declare_queue(const std::string &queue);
    void delete_queue(const std::string &queue);
    void declare_exchange(const std::string &exchange, const std::string &type);
    void delete_exchange(const std::string &exchange);
    void bind(const std::string &queue, const std::string &exchange,
              const std::string &routing_key);
    // How many are in the queue.
    std::uint32_t messages(const std::string &queue);
    // Takes all that is in the queue.
    std::vector<ReceivedMessage> take_all(const std::string &queue);
    std::vector<std::string> take_bodies(const std::string &queue);
    std::optional<ReceivedMessage> take(const std::string &queue);

  private:
    void check(const char *what);

    struct Deleter {
        void operator()(amqp_connection_state_t state) const noexcept {
            amqp_destroy_connection(state);
        }
    };
    std::unique_ptr<amqp_connection_state_t_, Deleter> state_;
};

} // namespace pgat::support
