// What the kafka sink makes of an event, and what it says of events that Kafka cannot take.
#include <gtest/gtest.h>

#include "plugins/conformance.hpp"
#include "plugins/kafka_site.hpp"

namespace pgat::test {
namespace {

using support::Certificate;

class KafkaMessages : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        certificate = new Certificate;
        kafka = new KafkaCluster({.brokers = 1,
                                  .proxied = false,
                                  .certificate = certificate,
                                  .sasl_password = "sesame",
                                  .settings = {}});
    }
    static void TearDownTestSuite() {
        delete kafka;
        delete certificate;
    }

    static json settings(const std::string &topic) {
        return {{"brokers", kafka->brokers()}, {"topic", topic}, {"timeout_ms", 5000}};
    }

    static Certificate *certificate;
    static KafkaCluster *kafka;
};
Certificate *KafkaMessages::certificate = nullptr;
KafkaCluster *KafkaMessages::kafka = nullptr;

TEST_F(KafkaMessages, CarryThePayloadTheKeyAndTheIdInOrder) {
    const std::string topic = new_topic(*kafka);
    SinkUnderTest sink("kafka", settings(topic));
    Events events;
    events.add(R"({"n": 1.50, "t": "ä"})", "key").add("2").fill(998, [](std::size_t i) {
        return "key-" + std::to_string(i % 7);
    });
    EXPECT_EQ(sink.publish(events).verdicts, verdicts(1000));
    const auto records = kafka->read(topic);
    ASSERT_EQ(records.size(), 1000U);
    EXPECT_EQ(records[0].value, R"({"n": 1.50, "t": "ä"})");
    EXPECT_EQ(records[0].key, "key");
    EXPECT_EQ(records[0].headers, "id=event-1");
    EXPECT_EQ(records[1].key, std::nullopt);
    EXPECT_EQ(records[999].value, R"({"n":1000})");
    EXPECT_EQ(records[999].headers, "id=event-1000");
    EXPECT_EQ(sink.counter("messages_total"), 1000U);
    EXPECT_EQ(sink.counter("confirmed_total"), 1000U);
}

TEST_F(KafkaMessages, AreSentByASinkThatKeepsEveryRuleOfItsInterface) {
    PGAT_NEEDS_REAL_KAFKA();
    json config = settings(new_topic(*kafka));
    config["brokers"] = kafka->sasl_brokers();
    config["sasl"] = {{"mechanism", "PLAIN"}, {"username", "app"}, {"password", "sesame"}};
    expect_conformance("kafka", config);
}

TEST_F(KafkaMessages, GoWhereTheEventSays) {
    const std::string one = new_topic(*kafka);
    const std::string other = new_topic(*kafka);
    json config = settings("{/queue_name}");
    config["topic_default"] = other;
    config["key"] = "{/group_id}-{metadata:/tenant}";
    config["key_default"] = "nobody";
    config["headers"] = {{"tenant", "{metadata:/tenant}"}, {"source", "postgres"}};
    config["header_default"] = "none";
    config["id_header"] = "event-id";
    SinkUnderTest sink("kafka", config);
    Events events;
    events.add(R"({"queue_name": ")" + one + R"(", "group_id": 7})", "k", R"({"tenant": "acme"})")
        .add(R"({"group_id": 8})", "k");
    EXPECT_EQ(sink.publish(events).verdicts, verdicts(2));
    const auto first = kafka->read(one);
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(first[0].key, "7-acme");
    EXPECT_EQ(first[0].headers, "event-id=event-1,source=postgres,tenant=acme");
    const auto second = kafka->read(other);
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(second[0].key, "nobody");
    EXPECT_EQ(second[0].headers, "event-id=event-2,source=postgres,tenant=none");
}

TEST_F(KafkaMessages, ThatLackWhatTheyNeedAreRejectedWithTheReason) {
    const std::string topic = new_topic(*kafka);
    json config = settings("{/topic}");
    config["headers"] = {{"h", "{/h}"}};
    SinkUnderTest sink("kafka", config);
    Events events;
    events.add(R"({"h": "x"})", "a")
        .add(R"({"h": "x", "topic": "no topic"})", "a")
        .add(R"({"topic": ")" + topic + R"("})", "a")
        .add(R"({"h": "a\nb", "topic": ")" + topic + R"("})", "a")
        .add(R"({"h": "x", "topic": ")" + topic + R"("})", "a");
    const Outcomes outcomes = sink.publish(events);
    EXPECT_EQ(outcomes.status, Status::ok);
    EXPECT_EQ(outcomes.verdicts,
              (std::vector<Verdict>{Verdict::rejected, Verdict::rejected, Verdict::rejected,
                                    Verdict::rejected, Verdict::delivered}));
    EXPECT_EQ(reason_for(outcomes, 0), "topic: the payload has no value at /topic");
    EXPECT_EQ(reason_for(outcomes, 1), "topic: \"no topic\" cannot be a topic");
    EXPECT_EQ(reason_for(outcomes, 2), "headers.h: the payload has no value at /h");
    EXPECT_EQ(reason_for(outcomes, 3), "headers.h would hold a control character");
    EXPECT_EQ(kafka->read(topic).size(), 1U);
}

// Java's partitioner: the numbers are what org.apache.kafka.common.utils.Utils.murmur2 gives.
TEST_F(KafkaMessages, WithAKeyGoToThePartitionThatJavaChooses) {
    const std::string topic = new_topic(*kafka, 10);
    SinkUnderTest sink("kafka", settings(topic));
    Events events;
    for (const char *key : {"21", "foobar", "a-little-bit-long-string", "abc"})
        events.add("1", key);
    EXPECT_EQ(sink.publish(events).verdicts, verdicts(4));
    std::map<std::string, int> partition;
    for (const auto &record : kafka->read(topic))
        partition[record.key.value()] = record.partition;
    const auto java = [](std::int32_t hash) { return (hash & 0x7fffffff) % 10; };
    EXPECT_EQ(partition["21"], java(-973932308));
    EXPECT_EQ(partition["foobar"], java(-790332482));
    EXPECT_EQ(partition["a-little-bit-long-string"], java(-985981536));
    EXPECT_EQ(partition["abc"], java(479470107));
}

TEST_F(KafkaMessages, WithoutAKeyStayTogetherInABatchAndMoveOnWithTheNext) {
    const std::string topic = new_topic(*kafka, 3);
    SinkUnderTest sink("kafka", settings(topic));
    for (int batch = 0; batch < 3; ++batch)
        EXPECT_EQ(sink.publish(Events().fill(50)).verdicts, verdicts(50));
    const auto records = kafka->read(topic);
    ASSERT_EQ(records.size(), 150U);
    for (int partition = 0; partition < 3; ++partition) {
        std::vector<std::string> there;
        for (const auto &record : records)
            if (record.partition == partition) there.push_back(record.value);
        EXPECT_EQ(there, filled(1, 50));
    }
}

TEST_F(KafkaMessages, LargerThanWeMaySendAreRejectedAndTheOthersArrive) {
    const std::string topic = new_topic(*kafka);
    SinkUnderTest sink("kafka", settings(topic));
    Events events;
    events.fill(2).add("\"" + std::string(2000000, 'x') + "\"").fill(2);
    const Outcomes outcomes = sink.publish(events);
    EXPECT_EQ(outcomes.verdicts,
              (std::vector<Verdict>{Verdict::delivered, Verdict::delivered, Verdict::rejected,
                                    Verdict::delivered, Verdict::delivered}));
    EXPECT_NE(reason_for(outcomes, 2).find("message.max.bytes"), std::string::npos);
    EXPECT_EQ(kafka->read(topic).size(), 4U);
}

TEST_F(KafkaMessages, LargerThanTheirTopicTakesAreRejectedAndNoOtherIsOvertaken) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka, 1, 1, {{"max.message.bytes", "20000"}});
    SinkUnderTest sink("kafka", settings(topic));
    // So many together are too much for a request, too.
    Events events;
    for (int n = 1; n <= 300; ++n)
        events.add("{\"n\":" + std::to_string(n) + ",\"pad\":\"" +
                       std::string(n == 50 || n == 200 ? 30000 : 200, 'x') + "\"}",
                   "key-" + std::to_string(n % 5));
    const Outcomes outcomes = sink.publish(events);
    EXPECT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    auto expected = verdicts(300);
    expected[49] = expected[199] = Verdict::rejected;
    EXPECT_EQ(outcomes.verdicts, expected);
    EXPECT_NE(reason_for(outcomes, 49).find("MSG_SIZE_TOO_LARGE"), std::string::npos);
    const auto records = kafka->read(topic);
    EXPECT_EQ(records.size(), 298U);
    expect_each_key_in_order(records, 298);
    // The next batch goes at full speed again, in requests that the topic takes.
    EXPECT_EQ(sink.publish(Events().fill(500)).verdicts, verdicts(500));
}

TEST_F(KafkaMessages, ThatACompactedTopicRefusesForWantOfAKeyAreRejectedAlone) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka, 1, 1, {{"cleanup.policy", "compact"}});
    json config = settings(topic);
    config["key"] = "{/k}";
    config["key_default"] = "";
    SinkUnderTest sink("kafka", config);
    Events events;
    for (int n = 1; n <= 20; ++n)
        events.add("{\"n\":" + std::to_string(n) + (n == 10 ? "}" : ",\"k\":\"x\"}"), "x");
    const Outcomes outcomes = sink.publish(events);
    EXPECT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    auto expected = verdicts(20);
    expected[9] = Verdict::rejected;
    EXPECT_EQ(outcomes.verdicts, expected);
    EXPECT_NE(reason_for(outcomes, 9).find("INVALID_RECORD"), std::string::npos)
        << reason_for(outcomes, 9);
    expect_each_key_in_order(kafka->read(topic), 19);
}

TEST_F(KafkaMessages, LargerThanTheirTopicTakesStopTheStreamWhereThatIsWanted) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka, 1, 1, {{"max.message.bytes", "20000"}});
    json config = settings(topic);
    config["on_too_large"] = "unavailable";
    SinkUnderTest sink("kafka", config);
    Events events;
    events.fill(1).add("\"" + std::string(30000, 'x') + "\"").fill(1);
    const Outcomes outcomes = sink.publish(events);
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_NE(outcomes.reason.find("MSG_SIZE_TOO_LARGE"), std::string::npos) << outcomes.reason;
    for (const auto &record : kafka->read(topic))
        EXPECT_EQ(record.value, "{\"n\":1}");
    // Once the topic takes it, all go on where they were.
    kafka->set(topic, "max.message.bytes", "100000");
    ASSERT_TRUE(support::eventually([&] { return sink.publish(events).status == Status::ok; }));
    std::set<std::string> seen;
    for (const auto &value : values(kafka->read(topic)))
        seen.insert(value);
    EXPECT_EQ(seen.size(), 3U);
}

TEST_F(KafkaMessages, ForATopicThatDoesNotExistAreRejectedWhereTheEventNamesIt) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka);
    SinkUnderTest sink("kafka", settings("{/topic}"));
    Events events;
    events.add(R"({"topic": "nowhere"})", "a")
        .add(R"({"topic": ")" + topic + R"("})", "a")
        .add(R"({"topic": "nowhere"})", "a");
    const Outcomes outcomes = sink.publish(events);
    EXPECT_EQ(outcomes.verdicts,
              (std::vector<Verdict>{Verdict::rejected, Verdict::delivered, Verdict::rejected}));
    EXPECT_NE(reason_for(outcomes, 0).find("there is no topic nowhere"), std::string::npos);
}

TEST_F(KafkaMessages, ForAFixedTopicThatDoesNotExistWaitUntilItDoes) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = "made-later";
    SinkUnderTest sink("kafka", settings(topic));
    const Outcomes outcomes = sink.publish(Events().fill(3));
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.verdicts, verdicts(3, Verdict::not_attempted));
    EXPECT_NE(outcomes.reason.find("there is no topic made-later"), std::string::npos);
    EXPECT_EQ(sink.probe().status, Status::unavailable);
    kafka->create_topic(topic);
    ASSERT_TRUE(support::eventually([&] { return sink.probe().status == Status::ok; }));
    EXPECT_EQ(sink.publish(Events().fill(3)).verdicts, verdicts(3));
    EXPECT_EQ(values(kafka->read(topic)), filled(1, 3));
}

TEST_F(KafkaMessages, OfATopicThatIsDeletedUnderTheSinkAreNotConfirmed) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka);
    SinkUnderTest sink("kafka", settings(topic));
    EXPECT_EQ(sink.publish(Events().fill(3)).verdicts, verdicts(3));
    kafka->delete_topic(topic);
    const Outcomes outcomes = sink.publish(Events().fill(3), std::chrono::seconds(30));
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.verdicts, verdicts(3, Verdict::not_attempted));
    EXPECT_NE(outcomes.reason.find(topic), std::string::npos) << outcomes.reason;
    kafka->create_topic(topic);
    ASSERT_TRUE(
        support::eventually([&] { return sink.publish(Events().fill(3)).status == Status::ok; }));
    EXPECT_EQ(values(kafka->read(topic)), filled(1, 3));
}

TEST_F(KafkaMessages, GoOverTlsToABrokerThatWeTrust) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka);
    json config = settings(topic);
    config["brokers"] = kafka->tls_brokers();
    config["tls"] = {{"ca_file", certificate->certificate_file().string()}};
    SinkUnderTest sink("kafka", config);
    EXPECT_EQ(sink.publish(Events().fill(3)).verdicts, verdicts(3));
    EXPECT_EQ(values(kafka->read(topic)), filled(1, 3));
}

TEST_F(KafkaMessages, GoToNoBrokerWhoseCertificateWeDoNotTrust) {
    PGAT_NEEDS_REAL_KAFKA();
    const Certificate stranger;
    json config = settings(new_topic(*kafka));
    config["brokers"] = kafka->tls_brokers();
    config["tls"] = {{"ca_file", stranger.certificate_file().string()}};
    SinkUnderTest sink("kafka", config);
    const Outcomes outcomes = sink.publish(Events().fill(3));
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.verdicts, verdicts(3, Verdict::not_attempted));
    EXPECT_NE(outcomes.reason.find("certificate verify failed"), std::string::npos)
        << outcomes.reason;
    EXPECT_EQ(sink.probe().status, Status::unavailable);
}

TEST_F(KafkaMessages, GoWithAPasswordThatTheBrokersTake) {
    PGAT_NEEDS_REAL_KAFKA();
    const std::string topic = new_topic(*kafka);
    json config = settings(topic);
    config["brokers"] = kafka->sasl_brokers();
    config["sasl"] = {{"mechanism", "PLAIN"}, {"username", "app"}, {"password", "sesame"}};
    SinkUnderTest sink("kafka", config);
    EXPECT_EQ(sink.publish(Events().fill(3)).verdicts, verdicts(3));

    config["sasl"]["password"] = "wrong-secret";
    SinkUnderTest refused("kafka", config);
    const Outcomes outcomes = refused.publish(Events().fill(3));
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.verdicts, verdicts(3, Verdict::not_attempted));
    EXPECT_NE(outcomes.reason.find("Authentication failed"), std::string::npos) << outcomes.reason;
    EXPECT_EQ(outcomes.reason.find("wrong-secret"), std::string::npos) << outcomes.reason;
    EXPECT_EQ(values(kafka->read(topic)), filled(1, 3));
}

TEST_F(KafkaMessages, WaitWhileTheProducersQueueIsFull) {
    const std::string topic = new_topic(*kafka);
    json config = settings(topic);
    config["properties"] = {{"queue.buffering.max.messages", 10}, {"linger.ms", "0"}};
    SinkUnderTest sink("kafka", config);
    EXPECT_EQ(sink.publish(Events().fill(500)).verdicts, verdicts(500));
    EXPECT_EQ(values(kafka->read(topic)), filled(1, 500));
}

} // namespace
} // namespace pgat::test
