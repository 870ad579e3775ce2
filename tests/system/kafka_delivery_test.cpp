// Postgres, the daemon and Kafka, as they are used: what is written to a table arrives in a topic, whatever dies
// on the way.
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/daemon.hpp"
#include "support/kafka_cluster.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using support::Daemon;
using support::eventually;
using support::KafkaCluster;
using support::KafkaRecord;

class KafkaDelivery : public testing::Test {
  protected:
    static void SetUpTestSuite() { kafka = new KafkaCluster; }
    static void TearDownTestSuite() { delete kafka; }

    KafkaDelivery() : topic("items-" + std::to_string(site.stream())) {
        site.subscribe_to_items();
        site.exec("UPDATE async_triggers.subscriptions SET column_names = '{id,name}'");
        kafka->create_topic(topic, 3);
    }

    std::filesystem::path configuration() {
        return site.configure(
            "  type: kafka\n  brokers: " + kafka->brokers() + "\n  topic: " + topic +
                "\n  timeout_ms: 2000\n",
            "  group_key: /new/name\n"
            "  retry: {attempts: 3, initial_backoff_ms: 10, max_backoff_ms: 500}\n");
    }
    // Each a transaction of its own, of one of seven names.
    void insert(int first, int last) {
        auto sql = site.connect();
        for (int id = first; id <= last; ++id)
            sql.exec("INSERT INTO items VALUES ($1, $2)",
                     {std::int64_t{id}, "name-" + std::to_string(id % 7)});
    }
    std::string status() {
        return std::string(
            site.exec("SELECT status FROM async_triggers.streams WHERE id = $1", {site.stream()})
                .text(0, 0));
    }
    std::size_t arrived() const {
        std::set<std::string> ids;
        for (const auto &record : kafka->read(topic))
            ids.insert(record.headers);
        return ids.size();
    }
    // Of each name in the order of the table, and all of them; how many arrived more than once.
    std::size_t expect_all_in_order(int count) const {
        std::map<std::string, int> last;
        std::set<int> seen;
        std::size_t repeats = 0;
        for (const KafkaRecord &record : kafka->read(topic)) {
            const json item = json::parse(record.value).at("new");
            const int id = item.at("id").get<int>();
            EXPECT_EQ(record.key, item.at("name").get<std::string>());
            if (!seen.insert(id).second) {
                ++repeats;
                continue;
            }
            int &before = last[*record.key];
            EXPECT_LT(before, id);
            before = id;
        }
        EXPECT_EQ(seen.size(), static_cast<std::size_t>(count));
        return repeats;
    }

    static KafkaCluster *kafka;
    support::Site site{support::Cluster::shared()};
    std::string topic;
};
KafkaCluster *KafkaDelivery::kafka = nullptr;

TEST_F(KafkaDelivery, ThroughABrokerThatIsKilledLosesAndRepeatsNothing) {
    Daemon daemon(configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    insert(1, 500);
    ASSERT_TRUE(eventually([&] { return arrived() > 0; })) << daemon.err();
    kafka->kill();
    insert(501, 1500);
    ASSERT_TRUE(eventually([&] { return status() == "failover"; })) << daemon.err();
    insert(1501, 2000);
    kafka->start();
    kafka->await();
    ASSERT_TRUE(eventually([&] { return status() == "streaming"; })) << daemon.err();
    insert(2001, 2100);
    ASSERT_TRUE(eventually([&] { return arrived() == 2100; })) << arrived() << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    const std::size_t repeats = expect_all_in_order(2100);
    if (KafkaCluster::real()) {
        EXPECT_EQ(repeats, 0U);
    }
}

TEST_F(KafkaDelivery, IsByAPluginThatKeepsTheRulesOfTheInterface) {
    const auto plugin = support::program().parent_path().parent_path() / "plugins" / "kafka.so";
    const auto check = site.run_program(
        {"--config", configuration().string(), "plugins", "check", plugin.string(), "--json"});
    EXPECT_EQ(check.status, 0) << check.out << check.err;
    EXPECT_EQ(json::parse(check.out).at("delivery_not_tried"), "");
}

TEST_F(KafkaDelivery, ByADaemonThatIsKilledWhileTheBrokerIsAwayLosesNothing) {
    {
        Daemon daemon(configuration());
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        insert(1, 300);
        ASSERT_TRUE(eventually([&] { return arrived() > 0; })) << daemon.err();
        kafka->kill();
        insert(301, 600);
        ASSERT_TRUE(eventually([&] { return status() == "failover"; })) << daemon.err();
        daemon.signal(SIGKILL);
        daemon.wait();
    }
    kafka->start();
    kafka->await();
    Daemon daemon(configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    ASSERT_TRUE(eventually([&] { return arrived() == 600; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    expect_all_in_order(600);
}

} // namespace
} // namespace pgat
