// Postgres, the daemon and RabbitMQ: an outage of the broker in the middle of the stream.
#include <thread>

#include <gtest/gtest.h>

#include "support/amqp_client.hpp"
#include "support/daemon.hpp"
#include "support/rabbitmq_broker.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using support::AmqpClient;
using support::Cluster;
using support::Daemon;
using support::eventually;
using support::numbers;
using support::once_each;
using support::RabbitmqBroker;
using support::Site;

// Takes what the queue has and adds the items' ids.
void take(AmqpClient &amqp, std::vector<std::int64_t> &ids) {
    for (const auto &body : amqp.take_bodies("items"))
        for (const auto id : support::item_ids(body + "\n"))
            ids.push_back(id);
}

TEST(RabbitmqOutage, WithABrokerKilledInTheMiddleLosesNothingAndKeepsTheOrder) {
    Site site(Cluster::shared());
    RabbitmqBroker broker;
    AmqpClient(broker.port()).declare_queue("items");
    const std::string sink =
        "  type: rabbitmq\n  uri: " + broker.uri() + "\n  routing_key: items\n";
    site.subscribe_to_items(sink);
    Daemon daemon(site.configure(
        sink, "  batch: {max_size: 500}\n  retry: {attempts: 2, max_backoff_ms: 300}\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();

    // Writes through all of it, in order, a commit each ten items.
    constexpr std::int64_t last = 10000;
    std::thread writer([&] {
        auto sql = site.connect();
        sql.exec(
            "DO $$ BEGIN FOR i IN 0..999 LOOP"
            " INSERT INTO public.items SELECT 10 * i + j, 'item' FROM generate_series(1, 10) j;"
            " COMMIT; END LOOP; END $$");
    });
    std::vector<std::int64_t> ids;
    {
        AmqpClient amqp(broker.port());
        EXPECT_TRUE(eventually([&] { return amqp.messages("items") >= 3000; })) << daemon.err();
    }
    broker.kill();
    EXPECT_TRUE(daemon.wait_for_err("failover")) << daemon.err();
    writer.join();
    broker.start();

    AmqpClient amqp(broker.port());
    EXPECT_TRUE(eventually(
        [&] {
            take(amqp, ids);
            return static_cast<std::int64_t>(once_each(ids).size()) >= last;
        },
        std::chrono::seconds(60)))
        << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    take(amqp, ids);
    EXPECT_EQ(once_each(ids), numbers(1, last));
    // Only what the broker had not confirmed when it died came twice.
    EXPECT_LE(ids.size() - static_cast<std::size_t>(last), 500U);
}

} // namespace
} // namespace pgat
