// What the kafka sink makes of errors that a real broker cannot be made to give: librdkafka's mock gives them.
#include <gtest/gtest.h>

#include "plugins/kafka_site.hpp"
#include "support/mock_kafka.hpp"

namespace pgat::test {
namespace {

class KafkaAnswers : public testing::Test {
  protected:
    KafkaAnswers() { mock.create_topic("events", 1, 1); }

    // All that is under way goes in one request, if it can.
    json settings() const {
        return {{"brokers", mock.brokers()},
                {"topic", "events"},
                {"timeout_ms", 5000},
                {"properties", {{"linger.ms", "200"}}}};
    }
    static std::string a_or_b(std::size_t i) { return i % 2 == 0 ? "a" : "b"; }

    support::MockKafka mock{1};
    Events before; // the first message of a producer goes alone
    Events events;
};

TEST_F(KafkaAnswers, ThatALeaderMovesOrReplicasAreMissingAreWaitedOut) {
    SinkUnderTest sink("kafka", settings());
    mock.fail_with(
        {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
         RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT});
    EXPECT_EQ(sink.publish(events.fill(10, a_or_b)).verdicts, verdicts(10));
    EXPECT_EQ(sink.counter("producers_total"), 1U);
}

TEST_F(KafkaAnswers, ThatWeMayNotWriteMeanUnavailable) {
    SinkUnderTest sink("kafka", settings());
    mock.fail_with({RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
    events.fill(10, a_or_b);
    const Outcomes outcomes = sink.publish(events);
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.verdicts, verdicts(10, Verdict::not_attempted));
    EXPECT_NE(outcomes.reason.find("TOPIC_AUTHORIZATION_FAILED"), std::string::npos)
        << outcomes.reason;
    EXPECT_EQ(sink.publish(events).verdicts, verdicts(10));
}

TEST_F(KafkaAnswers, ThatTheProducerIsOutOfStepMakeItAnewWithoutChargingAnybody) {
    SinkUnderTest sink("kafka", settings());
    ASSERT_EQ(sink.publish(before.fill(3)).verdicts, verdicts(3));
    mock.fail_with({RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
    const Outcomes outcomes = sink.publish(events.fill(10, a_or_b));
    EXPECT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    EXPECT_EQ(outcomes.verdicts, verdicts(10));
    EXPECT_EQ(sink.counter("producers_total"), 2U);
}

TEST_F(KafkaAnswers, ThatAreAboutNobodyChargeNobodyWhereOthersWereInTheRequest) {
    SinkUnderTest sink("kafka", settings());
    ASSERT_EQ(sink.publish(before.fill(3)).verdicts, verdicts(3));
    mock.fail_with({RD_KAFKA_RESP_ERR_UNKNOWN});
    EXPECT_EQ(sink.publish(events.fill(10, a_or_b)).verdicts, verdicts(10));
}

// Brokers that know nothing of a producer take any message of it, also one behind a message that they refused.
TEST_F(KafkaAnswers, ToTheFirstMessageOfAProducerAreAwaitedBeforeTheSecondGoes) {
    SinkUnderTest sink("kafka", settings());
    mock.fail_with({RD_KAFKA_RESP_ERR_UNKNOWN});
    const Outcomes outcomes = sink.publish(events.fill(10, [](std::size_t) { return "a"; }));
    auto expected = verdicts(10, Verdict::not_attempted);
    expected[0] = Verdict::retry;
    EXPECT_EQ(outcomes.verdicts, expected);
    EXPECT_EQ(sink.counter("messages_total"), 1U);
}

TEST_F(KafkaAnswers, ThatAreAboutOneEventHoldBackItsKeyAlone) {
    SinkUnderTest sink("kafka", settings());
    ASSERT_EQ(sink.publish(before.fill(3)).verdicts, verdicts(3));
    // The request of all ten, then the first one by itself.
    mock.fail_with({RD_KAFKA_RESP_ERR_UNKNOWN, RD_KAFKA_RESP_ERR_UNKNOWN});
    const Outcomes outcomes = sink.publish(events.fill(10, a_or_b));
    EXPECT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    ASSERT_EQ(outcomes.verdicts.size(), 10U);
    EXPECT_EQ(outcomes.verdicts[0], Verdict::retry);
    EXPECT_NE(reason_for(outcomes, 0).find("UNKNOWN"), std::string::npos)
        << reason_for(outcomes, 0);
    for (std::size_t i = 1; i < 10; ++i)
        EXPECT_EQ(outcomes.verdicts[i], i % 2 == 0 ? Verdict::not_attempted : Verdict::delivered)
            << i;
}

} // namespace
} // namespace pgat::test
