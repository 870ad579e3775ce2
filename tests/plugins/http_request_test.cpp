// What the http sink sends.
#include <gtest/gtest.h>

#include <ctime>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/error.hpp"
#include "plugins/sink_under_test.hpp"
#include "support/http_receiver.hpp"

namespace pgat::test {

using nlohmann::json;
using support::HttpReceiver;
using support::HttpRequest;

namespace {

// The value of webhook-signature for one key, computed in another way than the sink does.
std::string signature(const std::string &key, const HttpRequest &request) {
    const std::string text = request.header("webhook-id") + "." +
                             request.header("webhook-timestamp") + "." + request.body;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char *>(text.data()), text.size(), digest, &size);
    unsigned char base64[EVP_MAX_MD_SIZE * 2];
    EVP_EncodeBlock(base64, digest, static_cast<int>(size));
    return "v1," + std::string(reinterpret_cast<const char *>(base64));
}

HttpRequest only_request(const HttpReceiver &receiver) {
    const auto requests = receiver.requests();
    EXPECT_EQ(requests.size(), 1U);
    return requests.empty() ? HttpRequest{} : requests.front();
}

std::string refusal(const json &settings) {
    try {
        SinkUnderTest("http", settings);
    } catch (const Error &error) {
        EXPECT_EQ(error.remedy(), Remedy::configure);
        return error.what();
    }
    return {};
}

} // namespace

TEST(HttpRequest, IsAPostOfThePayloadByteForByte) {
    const HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url("/hook?a=b")}});
    const std::string payload =
        R"({"n": 12345678901234567890.123456789, "text": "é𝄞\u0001 \"", "none": null})";
    const Outcomes outcomes = sink.publish(Events().add(payload));
    EXPECT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    EXPECT_EQ(outcomes.verdicts, verdicts(1));
    const HttpRequest request = only_request(receiver);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/hook?a=b");
    EXPECT_EQ(request.body, payload);
    EXPECT_EQ(request.header("content-type"), "application/json");
    EXPECT_EQ(request.header("user-agent").substr(0, 24), "postgres-async-triggers/");
}

TEST(HttpRequest, CarriesTheEventsIdAndTheTime) {
    const HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}});
    const std::time_t before = std::time(nullptr);
    sink.publish(Events().fill(2));
    const auto requests = receiver.requests();
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_EQ(requests[0].header("webhook-id"), "event-1");
    EXPECT_EQ(requests[1].header("webhook-id"), "event-2");
    EXPECT_GE(std::stoll(requests[0].header("webhook-timestamp")), before);
    EXPECT_LE(std::stoll(requests[0].header("webhook-timestamp")), std::time(nullptr));
    EXPECT_EQ(requests[0].header("webhook-signature"), "");
}

TEST(HttpRequest, TakesMethodAndHeadersFromTheConfiguration) {
    const HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()},
                                {"method", "PUT"},
                                {"headers",
                                 {{"Authorization", "Bearer t0k3n"},
                                  {"content-type", "application/vnd.custom+json"},
                                  {"X-Braces", "{{}}"}}}});
    sink.publish(Events().add("{}"));
    const HttpRequest request = only_request(receiver);
    EXPECT_EQ(request.method, "PUT");
    EXPECT_EQ(request.body, "{}");
    EXPECT_EQ(request.header("authorization"), "Bearer t0k3n");
    EXPECT_EQ(request.header("content-type"), "application/vnd.custom+json");
    EXPECT_EQ(request.header("x-braces"), "{}");
}

TEST(HttpRequest, IsRoutedByPartsOfPayloadAndMetadata) {
    const HttpReceiver receiver;
    SinkUnderTest sink("http",
                       {{"url", receiver.url("/q/{/queue_name}/{metadata:/a~1b}?id={/new/id}")},
                        {"headers", {{"X-Topic", "t-{metadata:/topic}"}, {"X-Fixed", "same"}}}});
    const Outcomes outcomes =
        sink.publish(Events()
                         .add(R"({"queue_name": "a/b c?é", "new": {"id": 1.50}})", "",
                              R"({"topic": "orders", "a/b": true})")
                         .add(R"({"queue_name": "z", "new": {"id": 2}})", "",
                              R"({"topic": "users", "a/b": "x"})"));
    EXPECT_EQ(outcomes.verdicts, verdicts(2));
    const auto requests = receiver.requests();
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_EQ(requests[0].target, "/q/a%2Fb%20c%3F%C3%A9/true?id=1.50");
    EXPECT_EQ(requests[0].header("x-topic"), "t-orders");
    EXPECT_EQ(requests[1].target, "/q/z/x?id=2");
    EXPECT_EQ(requests[1].header("x-topic"), "t-users");
    EXPECT_EQ(requests[1].header("x-fixed"), "same");
}

TEST(HttpRequest, IsNotMadeForAnEventThatCannotBeRouted) {
    const HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url("/{/queue}/x")},
                                {"headers", {{"X-Topic", "{metadata:/topic}"}}}});
    const Outcomes outcomes =
        sink.publish(Events()
                         .add(R"({"queue": "a"})", "", R"({"topic": "a\r\nX-Evil: 1"})")
                         .add(R"({"queue": "a"})")
                         .add(R"({"queue": null})", "", R"({"topic": "t"})")
                         .add(R"({"queue": ".."})", "", R"({"topic": "t"})")
                         .add(R"({"queue": "good"})", "", R"({"topic": "t"})"));
    EXPECT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    const auto no = Verdict::rejected;
    EXPECT_EQ(outcomes.verdicts, (std::vector{no, no, no, no, Verdict::delivered}));
    EXPECT_EQ(reason_for(outcomes, 0), "headers.X-Topic: the value holds a control character");
    EXPECT_EQ(reason_for(outcomes, 1), "headers.X-Topic: the metadata has no value at /topic");
    EXPECT_EQ(reason_for(outcomes, 2), "url: the payload has no value at /queue");
    EXPECT_EQ(only_request(receiver).target, "/good/x");
}

TEST(HttpRequest, IsSignedWithEverySecret) {
    const HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()},
                                {"signing_secret", "whsec_c2VjcmV0IG9uZQ== plain-secret"}});
    sink.publish(Events().add(R"({"signed": true})"));
    const HttpRequest request = only_request(receiver);
    EXPECT_EQ(request.header("webhook-signature"),
              signature("secret one", request) + " " + signature("plain-secret", request));

    receiver.wait_for(1);
    SinkUnderTest list("http", {{"url", receiver.url()}, {"signing_secret", {"one", "two"}}});
    list.publish(Events().add("{}"));
    const HttpRequest second = receiver.requests().back();
    EXPECT_EQ(second.header("webhook-signature"),
              signature("one", second) + " " + signature("two", second));
}

TEST(HttpRequest, IsCompressedAndSignedOverWhatWasCompressed) {
    const HttpReceiver receiver;
    SinkUnderTest sink(
        "http", {{"url", receiver.url()}, {"compression", "gzip"}, {"signing_secret", "s3cr3t"}});
    const std::string payload = "{\"text\": \"" + std::string(100000, 'x') + "\"}";
    sink.publish(Events().add(payload).add("{}"));
    const auto requests = receiver.requests();
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_EQ(requests[0].header("content-encoding"), "gzip");
    EXPECT_EQ(requests[0].body, payload);
    EXPECT_EQ(requests[0].header("webhook-signature"), signature("s3cr3t", requests[0]));
    EXPECT_EQ(requests[1].body, "{}");
    EXPECT_LT(sink.counter("request_bytes_total"), 2000U);
}

TEST(HttpRequest, HoldsManyEventsAsAnArrayOrAsLines) {
    const HttpReceiver receiver;
    SinkUnderTest array("http", {{"url", receiver.url()}, {"mode", "array"}});
    EXPECT_EQ(array.publish(Events().fill(3)).verdicts, verdicts(3));
    EXPECT_EQ(receiver.requests()[0].body, R"([{"n":1},{"n":2},{"n":3}])");
    EXPECT_EQ(receiver.requests()[0].header("content-type"), "application/json");

    SinkUnderTest lines("http", {{"url", receiver.url()}, {"mode", "ndjson"}});
    EXPECT_EQ(lines.publish(Events().fill(2).add("{\n\"n\": 3}")).verdicts, verdicts(3));
    EXPECT_EQ(receiver.requests()[1].body, "{\"n\":1}\n{\"n\":2}\n{ \"n\": 3}\n");
    EXPECT_EQ(receiver.requests()[1].header("content-type"), "application/x-ndjson");
    EXPECT_EQ(receiver.requests().size(), 2U);
}

TEST(HttpRequest, OfSeveralEventsHasAnIdThatNamesExactlyThese) {
    const HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"mode", "array"}});
    sink.publish(Events().fill(3));
    sink.publish(Events().fill(3));
    sink.publish(Events().fill(2));
    sink.publish(Events().fill(1));
    const auto requests = receiver.requests();
    ASSERT_EQ(requests.size(), 4U);
    EXPECT_EQ(requests[0].header("webhook-id").substr(0, 6), "batch_");
    EXPECT_EQ(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    EXPECT_NE(requests[0].header("webhook-id"), requests[2].header("webhook-id"));
    EXPECT_EQ(requests[3].header("webhook-id"), "event-1");
}

TEST(HttpRequest, TakesOnlyEventsOfOneTargetTogether) {
    const HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url("/{/to}")}, {"mode", "array"}});
    const Outcomes outcomes = sink.publish(Events()
                                               .add(R"({"to":"a","n":1})")
                                               .add(R"({"to":"a","n":2})")
                                               .add(R"({"n":3})")
                                               .add(R"({"to":"b","n":4})")
                                               .add(R"({"to":"a","n":5})"));
    EXPECT_EQ(outcomes.verdicts[2], Verdict::rejected);
    const auto requests = receiver.requests();
    ASSERT_EQ(requests.size(), 3U);
    EXPECT_EQ(requests[0].target, "/a");
    EXPECT_EQ(requests[0].body, R"([{"to":"a","n":1},{"to":"a","n":2}])");
    EXPECT_EQ(requests[1].target, "/b");
    EXPECT_EQ(requests[2].body, R"([{"to":"a","n":5}])");
}

TEST(HttpRequest, IsACloudEventIfAskedTo) {
    const HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"format", "cloudevents"}});
    sink.publish(Events().add(
        R"({"tg_op":"INSERT","tg_table_schema":"public","tg_table_name":"Or\"ders","n":1.10})",
        "k\n1"));
    const HttpRequest request = only_request(receiver);
    EXPECT_EQ(request.header("content-type"), "application/cloudevents+json; charset=utf-8");
    EXPECT_EQ(
        request.body,
        R"({"specversion":"1.0","id":"event-1","source":"/async_triggers/streams/1",)"
        R"("type":"async_triggers.insert","subject":"public.Or\"ders",)"
        R"("time":"2026-01-01T00:00:00.000123Z","partitionkey":"k\u000a1",)"
        R"("datacontenttype":"application/json","data":)"
        R"({"tg_op":"INSERT","tg_table_schema":"public","tg_table_name":"Or\"ders","n":1.10}})");
    EXPECT_TRUE(json::accept(request.body));
}

TEST(HttpRequest, HoldsManyCloudEventsWithAttributesOfTheUsers) {
    const HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()},
                                {"mode", "array"},
                                {"format", "cloudevents"},
                                {"cloudevents", {{"source", "shop"}, {"type", "shop.{/kind}"}}}});
    const Outcomes outcomes =
        sink.publish(Events().add(R"({"kind":"a"})").add(R"({"other":1})").add(R"({"kind":"b"})"));
    EXPECT_EQ(outcomes.verdicts,
              (std::vector{Verdict::delivered, Verdict::rejected, Verdict::delivered}));
    const HttpRequest request = only_request(receiver);
    EXPECT_EQ(request.header("content-type"), "application/cloudevents-batch+json");
    const json body = json::parse(request.body);
    ASSERT_EQ(body.size(), 2U);
    EXPECT_EQ(body[0]["type"], "shop.a");
    EXPECT_EQ(body[1]["type"], "shop.b");
    EXPECT_EQ(body[1]["id"], "event-3");
    EXPECT_EQ(body[1]["source"], "shop");
    EXPECT_EQ(body[1]["data"], json::parse(R"({"kind":"b"})"));
}

TEST(HttpRequest, OfManyMegabytesArrivesWhole) {
    const HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}});
    const std::string payload = "\"" + std::string(std::size_t{20} << 20U, 'y') + "\"";
    EXPECT_EQ(sink.publish(Events().add(payload)).verdicts, verdicts(1));
    EXPECT_EQ(only_request(receiver).body.size(), payload.size());
}

TEST(HttpConfiguration, IsRefusedWithAReasonThatShowsNoSecret) {
    EXPECT_NE(refusal({{"url", "ftp://h/"}}).find("must begin with http:// or https://"),
              std::string::npos);
    EXPECT_NE(refusal({{"url", "https://{/host}/x"}}).find("placeholder before its path"),
              std::string::npos);
    EXPECT_NE(refusal({{"url", "https://h/{queue}"}}).find("{/pointer}"), std::string::npos);
    EXPECT_NE(refusal({{"url", "https://h/a b"}}).find("space"), std::string::npos);
    EXPECT_NE(refusal({{"url", "https://h/"}, {"headers", {{"a:b", "x"}}}}).find("\"a:b\""),
              std::string::npos);
    EXPECT_NE(refusal({{"url", "https://h/"}, {"headers", {{"Webhook-Id", "x"}}}})
                  .find("set by the sink itself"),
              std::string::npos);
    EXPECT_NE(refusal({{"url", "https://h/"}, {"tls", {{"ca_file", "/no/such"}}}})
                  .find("tls.ca_file: cannot read /no/such"),
              std::string::npos);
    EXPECT_NE(refusal({{"url", "https://h/"}, {"modus", "array"}}).find("modus"),
              std::string::npos);
    const std::string reason =
        refusal({{"url", "https://h/"}, {"signing_secret", "whsec_not*base64*s3cr3t"}});
    EXPECT_NE(reason.find("not base64"), std::string::npos);
    EXPECT_EQ(reason.find("s3cr3t"), std::string::npos);
    const std::string header =
        refusal({{"url", "https://h/"}, {"headers", {{"Authorization", "Bearer s3cr3t\n"}}}});
    EXPECT_NE(header.find("control character"), std::string::npos);
    EXPECT_EQ(header.find("s3cr3t"), std::string::npos);
}

} // namespace pgat::test
