// What the tests of the rabbitmq sink share: one broker a program, and clients of it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "plugins/sink_under_test.hpp"
#include "support/amqp_client.hpp"
#include "support/cluster.hpp"
#include "support/rabbitmq_broker.hpp"

namespace pgat::test {

using support::RabbitmqBroker;
using Json = nlohmann::json;

class RabbitmqSite : public testing::Test {
  protected:
    static void SetUpTestSuite() { broker = std::make_unique<RabbitmqBroker>(); }
    static void TearDownTestSuite() { broker.reset(); }

    static Json to_queue(const std::string &queue, std::uint16_t port = 0) {
        return {{"uri", broker->uri(port)}, {"routing_key", queue}};
    }
    static support::AmqpClient client() { return support::AmqpClient(broker->port()); }

    static inline std::unique_ptr<RabbitmqBroker> broker;
};

// The first of each, in order.
inline std::vector<std::string> first_of_each(const std::vector<std::string> &bodies) {
    std::vector<std::string> firsts;
    std::set<std::string> seen;
    for (const auto &body : bodies)
        if (seen.insert(body).second) firsts.push_back(body);
    return firsts;
}

} // namespace pgat::test
