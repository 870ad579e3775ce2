// A broker that goes away under the kafka sink, and comes back.
#include <gtest/gtest.h>

#include <future>

#include "plugins/kafka_site.hpp"
#include "plugins/kafka_workload.hpp"

namespace pgat::test {
namespace {

using namespace std::chrono_literals;

class KafkaOutage : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        kafka = new KafkaCluster({.brokers = 1,
                                  .proxied = KafkaCluster::real(),
                                  .certificate = nullptr,
                                  .sasl_password = "",
                                  .settings = {}});
    }
    static void TearDownTestSuite() { delete kafka; }

    static json settings(const std::string &topic) {
        return {{"brokers", kafka->brokers()}, {"topic", topic}, {"timeout_ms", 2000}};
    }

    static KafkaCluster *kafka;
};
KafkaCluster *KafkaOutage::kafka = nullptr;

TEST_F(KafkaOutage, OfABrokerKilledUnderLoadLosesNothingAndOvertakesNothing) {
    const std::string topic = new_topic(*kafka);
    SinkUnderTest sink("kafka", settings(topic));
    Workload workload(sink, 20000);
    auto done = std::async(std::launch::async, [&] { return workload.deliver(); });
    ASSERT_TRUE(support::eventually([&] { return workload.delivered() > 1000; }));
    kafka->kill();
    // Not before it is noticed.
    ASSERT_TRUE(support::eventually([&] { return sink.counter("left_under_way_total") > 0; }));
    kafka->start();
    EXPECT_GT(done.get(), 0);
    EXPECT_NE(workload.last_reason.find("no broker can be reached"), std::string::npos)
        << workload.last_reason;
    // And why: what librdkafka said last.
    EXPECT_NE(workload.last_reason.find("reached: 127.0.0.1:"), std::string::npos)
        << workload.last_reason;
    const auto records = kafka->read(topic);
    expect_each_key_in_order(records, 20000);
    if (KafkaCluster::real()) {
        EXPECT_EQ(repeats(records), 0U);
    }
    EXPECT_GT(sink.counter("awaited_total"), 0U);
}

TEST_F(KafkaOutage, ThatBeginsBeforeTheFirstEventIsToldAtOnce) {
    kafka->kill();
    SinkUnderTest sink("kafka", settings("somewhere"));
    const auto begin = Clock::now();
    const Outcomes outcomes = sink.publish(Events().fill(3));
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.verdicts, verdicts(3, Verdict::not_attempted));
    EXPECT_LT(Clock::now() - begin, 10s);
    EXPECT_EQ(sink.probe().status, Status::unavailable);
    kafka->start();
    kafka->await();
    ASSERT_TRUE(support::eventually([&] { return kafka->leader("topic-1") >= 0; }));
}

TEST_F(KafkaOutage, OfABrokerThatHangsMakesNoRepeatsOnceItGoesOn) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka);
    SinkUnderTest sink("kafka", settings(topic));
    ASSERT_EQ(sink.publish(Events().fill(10)).status, Status::ok);
    kafka->pause();
    const Outcomes outcomes = sink.publish(Events().fill(200, seven_keys));
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.verdicts, verdicts(200, Verdict::not_attempted));
    kafka->resume();
    ASSERT_TRUE(support::eventually(
        [&] { return sink.publish(Events().fill(200, seven_keys)).status == Status::ok; }));
    auto records = kafka->read(topic);
    ASSERT_EQ(records.size(), 210U);
    records.erase(records.begin(), records.begin() + 10);
    EXPECT_EQ(values(records), filled(1, 200));
}

TEST_F(KafkaOutage, OfACutConnectionMakesNoRepeatsOnceItIsMended) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka);
    SinkUnderTest sink("kafka", settings(topic));
    Workload workload(sink, 5000);
    auto done = std::async(std::launch::async, [&] { return workload.deliver(); });
    ASSERT_TRUE(support::eventually([&] { return workload.delivered() > 500; }));
    kafka->proxy().cut();
    ASSERT_TRUE(support::eventually([&] { return sink.counter("left_under_way_total") > 0; }));
    kafka->proxy().mend();
    EXPECT_GT(done.get(), 0);
    const auto records = kafka->read(topic);
    EXPECT_EQ(repeats(records), 0U);
    expect_each_key_in_order(records, 5000);
}

TEST_F(KafkaOutage, InWhichTheConnectionBreaksAgainAndAgainMakesNoRepeats) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka);
    SinkUnderTest sink("kafka", settings(topic));
    Workload workload(sink, 20000);
    auto done = std::async(std::launch::async, [&] { return workload.deliver(); });
    for (std::size_t at = 1000; at < 15000; at += 3000) {
        ASSERT_TRUE(support::eventually([&] { return workload.delivered() > at; }));
        kafka->proxy().reset();
    }
    EXPECT_GE(done.get(), 0);
    const auto records = kafka->read(topic);
    EXPECT_EQ(repeats(records), 0U);
    expect_each_key_in_order(records, 20000);
}

TEST_F(KafkaOutage, EndsACallWithinASecondOfBeingToldToStop) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka);
    json config = settings(topic);
    config["timeout_ms"] = 60000;
    SinkUnderTest sink("kafka", config);
    ASSERT_EQ(sink.publish(Events().fill(10)).status, Status::ok);
    kafka->pause();
    auto call = std::async(std::launch::async, [&] { return sink.publish(Events().fill(100)); });
    ASSERT_TRUE(support::eventually([&] { return sink.counter("messages_total") == 110; }));
    const auto begin = Clock::now();
    sink.sink().cancel();
    const Outcomes outcomes = call.get();
    EXPECT_LT(Clock::now() - begin, 1s);
    EXPECT_EQ(outcomes.status, Status::cancelled);
    EXPECT_EQ(outcomes.verdicts, verdicts(100, Verdict::not_attempted));
    kafka->resume();
}

TEST_F(KafkaOutage, EndsACallAtItsDeadline) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka);
    json config = settings(topic);
    config["timeout_ms"] = 60000;
    SinkUnderTest sink("kafka", config);
    ASSERT_EQ(sink.publish(Events().fill(10)).status, Status::ok);
    kafka->pause();
    const auto begin = Clock::now();
    const Outcomes outcomes = sink.publish(Events().fill(100), 500ms);
    EXPECT_LT(Clock::now() - begin, 1500ms);
    EXPECT_EQ(outcomes.status, Status::cancelled);
    kafka->resume();
    EXPECT_EQ(sink.publish(Events().fill(100)).status, Status::ok);
    EXPECT_EQ(kafka->read(topic).size(), 110U);
}

} // namespace
} // namespace pgat::test
