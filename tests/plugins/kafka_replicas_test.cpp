// Two brokers, of which the second comes and goes: leaders move, replicas are missing. The first is the
// controller.
#include <gtest/gtest.h>

#include <future>

#include "plugins/kafka_site.hpp"
#include "plugins/kafka_workload.hpp"

namespace pgat::test {
namespace {

using namespace std::chrono_literals;

class KafkaReplicas : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        kafka = new KafkaCluster({.brokers = 2,
                                  .proxied = false,
                                  .certificate = nullptr,
                                  .sasl_password = "",
                                  .settings = {}});
    }
    static void TearDownTestSuite() { delete kafka; }

    static json settings(const std::string &topic, int timeout_ms) {
        return {{"brokers", kafka->brokers()}, {"topic", topic}, {"timeout_ms", timeout_ms}};
    }
    // Of six partitions with two replicas each.
    static bool leads_some(int broker, const std::string &topic) {
        for (int partition = 0; partition < 6; ++partition)
            if (kafka->leader(topic, partition) == broker) return true;
        return false;
    }

    static KafkaCluster *kafka;
};
KafkaCluster *KafkaReplicas::kafka = nullptr;

TEST_F(KafkaReplicas, ThatTakeOverFromALeaderThatStopsOrDiesMakeNeitherLossNorRepeats) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka, 6, 2);
    ASSERT_TRUE(leads_some(1, topic));
    SinkUnderTest sink("kafka", settings(topic, 15000));
    Workload workload(sink, 40000);
    auto done = std::async(std::launch::async, [&] { return workload.deliver(); });
    ASSERT_TRUE(support::eventually([&] { return workload.delivered() > 1000; }));
    kafka->stop(1); // hands its partitions over
    ASSERT_TRUE(support::eventually([&] { return !leads_some(1, topic); }));
    EXPECT_EQ(done.get(), 0); // no call failed
    EXPECT_EQ(repeats(kafka->read(topic)), 0U);
    expect_each_key_in_order(kafka->read(topic), 40000);
    kafka->start(1);
    kafka->await(1);

    const std::string other = new_topic(*kafka, 6, 2);
    ASSERT_TRUE(leads_some(1, other));
    SinkUnderTest second("kafka", settings(other, 15000));
    Workload more(second, 40000);
    auto more_done = std::async(std::launch::async, [&] { return more.deliver(); });
    ASSERT_TRUE(support::eventually([&] { return more.delivered() > 1000; }));
    kafka->kill(1);
    EXPECT_GE(more_done.get(), 0);
    EXPECT_EQ(repeats(kafka->read(other)), 0U);
    expect_each_key_in_order(kafka->read(other), 40000);
    kafka->start(1);
    kafka->await(1);
}

TEST_F(KafkaReplicas, ThatAreTooFewConfirmNothing) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka, 1, 2, {{"min.insync.replicas", "2"}});
    SinkUnderTest sink("kafka", settings(topic, 5000));
    Events first;
    EXPECT_EQ(sink.publish(first.fill(10)).verdicts, verdicts(10));
    kafka->kill(1);
    ASSERT_TRUE(support::eventually([&] { return kafka->leader(topic) == 0; }));
    Events events;
    events.fill(200, seven_keys);
    const Outcomes outcomes = sink.publish(events);
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.verdicts, verdicts(200, Verdict::not_attempted));
    EXPECT_NE(outcomes.reason.find("has only 1 of its 2 replicas in sync"), std::string::npos)
        << outcomes.reason;
    kafka->start(1);
    ASSERT_TRUE(support::eventually([&] { return sink.publish(events).status == Status::ok; }));
    EXPECT_EQ(kafka->read(topic).size(), 210U);
}

} // namespace
} // namespace pgat::test
