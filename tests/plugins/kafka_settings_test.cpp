// What the kafka sink's configuration may say: without a broker.
#include <gtest/gtest.h>

#include "plugins/sink_under_test.hpp"

namespace pgat::test {
namespace {

using nlohmann::json;

// Why the sink refuses it; empty: it does not.
std::string refusal(const json &more) {
    json config = {{"brokers", "127.0.0.1:1"}, {"topic", "events"}};
    config.update(more);
    try {
        const SinkUnderTest sink("kafka", config);
    } catch (const std::exception &error) {
        return error.what();
    }
    return {};
}

void expect_refused(const json &more, const std::string &why) {
    EXPECT_NE(refusal(more).find(why), std::string::npos) << more << ": " << refusal(more);
}

TEST(KafkaSettings, RefusePropertiesThatTheSinkCannotWorkWith) {
    for (const char *name :
         {"bootstrap.servers", "metadata.broker.list", "message.timeout.ms", "delivery.timeout.ms",
          "retries", "message.send.max.retries", "transactional.id", "delivery.report.only.error",
          "queuing.strategy", "enable.gapless.guarantee", "internal.termination.signal",
          "plugin.library.paths", "log.queue"})
        expect_refused({{"properties", {{name, "1"}}}},
                       "properties." + std::string(name) + " cannot be set");
}

TEST(KafkaSettings, RefuseToCountAsDeliveredWhatNobodyConfirmed) {
    expect_refused({{"properties", {{"acks", 0}}}}, "nothing confirms an event");
    expect_refused({{"properties", {{"request.required.acks", "0"}}}}, "nothing confirms an event");
    expect_refused({{"properties", {{"acks", 1}}}}, "enable.idempotence");
    EXPECT_EQ(refusal({{"properties", {{"acks", 1}, {"enable.idempotence", false}}}}), "");
}

TEST(KafkaSettings, RefuseWhatLibrdkafkaDoesNotKnowAndNameIt) {
    expect_refused({{"properties", {{"no.such.property", 1}}}}, "properties.no.such.property");
    expect_refused({{"properties", {{"compression.type", "brotli"}}}},
                   "properties.compression.type");
    expect_refused({{"tls", {{"ca_file", "/nowhere.pem"}}}},
                   "tls.ca_file: cannot read /nowhere.pem");
}

TEST(KafkaSettings, RefuseTopicsThatCannotBe) {
    expect_refused({{"topic", "no topic"}}, "cannot be a topic");
    expect_refused({{"topic", ".."}}, "cannot be a topic");
    expect_refused({{"topic", "{/a"}}, "topic: has a { without its }");
    expect_refused({{"topic", "{/a}"}, {"topic_default", "a/b"}}, "topic_default");
    expect_refused({{"topic_default", "other"}}, "topic_default is for a topic with placeholders");
    expect_refused({{"key_default", "other"}}, "key_default is for a key with placeholders");
}

TEST(KafkaSettings, RefuseASecondHeaderForTheId) {
    expect_refused({{"headers", {{"id", "1"}}}}, "carries the event's id");
    EXPECT_EQ(refusal({{"headers", {{"id", "1"}}}, {"id_header", "event-id"}}), "");
}

TEST(KafkaSettings, NeverShowASecret) {
    const json sasl = {{"mechanism", "GSSAPI"}, {"username", "app"}, {"password", "hunter2"}};
    expect_refused({{"sasl", {{"username", "app"}}}}, "sasl.password");
    const json more = {{"sasl", sasl}, {"properties", {{"no.such.property", "hunter2"}}}};
    EXPECT_EQ(refusal(more).find("hunter2"), std::string::npos) << refusal(more);
}

} // namespace
} // namespace pgat::test
