// The rabbitmq sink and a real broker that is well: where messages go, what they carry, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "plugins/conformance.hpp"
#include "plugins/rabbitmq_site.hpp"
#include "support/process.hpp"

namespace pgat::test {
namespace {

using support::AmqpClient;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

class Rabbitmq : public RabbitmqSite {};

TEST_F(Rabbitmq, TakesABatchInOrderAndEachMessageSaysWhoItIs) {
    auto amqp = client();
    amqp.declare_queue("orders");
    SinkUnderTest sink("rabbitmq", to_queue("orders"));
    ASSERT_EQ(sink.probe().status, Status::ok);
    const auto outcomes = sink.publish(Events().fill(2500));
    ASSERT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    EXPECT_EQ(outcomes.verdicts, verdicts(2500));
    const auto messages = amqp.take_all("orders");
    ASSERT_EQ(messages.size(), 2500U);
    for (std::size_t n = 0; n < messages.size(); ++n)
        ASSERT_EQ(messages[n].body, "{\"n\":" + std::to_string(n + 1) + "}");
    EXPECT_EQ(messages[0].message_id, "event-1");
    EXPECT_EQ(messages[2499].message_id, "event-2500");
    EXPECT_EQ(messages[0].content_type, "application/json");
    EXPECT_EQ(messages[0].app_id, "postgres-async-triggers");
    EXPECT_EQ(messages[0].delivery_mode, 2);
    EXPECT_EQ(messages[0].timestamp, 1767225600U);
    EXPECT_EQ(messages[0].priority, -1);
    EXPECT_EQ(sink.counter("published_total"), 2500U);
    EXPECT_EQ(sink.counter("confirmed_total"), 2500U);
    EXPECT_EQ(sink.counter("connections_total"), 1U);
}

TEST_F(Rabbitmq, KeepsEveryRuleOfItsInterface) {
    client().declare_queue("checked");
    // The password is too short to be looked for.
    expect_conformance("rabbitmq", to_queue("checked"), {"secrets"});
}

TEST_F(Rabbitmq, IsReadByAnyAmqpProgram) {
    client().declare_queue("for amqp-get");
    SinkUnderTest sink("rabbitmq", to_queue("for amqp-get"));
    ASSERT_EQ(sink.publish(Events().add(R"({"text": "héllo"})")).verdicts, verdicts(1));
    const auto got =
        support::run({"amqp-get", "--url", broker->uri() + "%2F", "-q", "for amqp-get"});
    EXPECT_EQ(got.status, 0) << got.err;
    EXPECT_EQ(got.out, R"({"text": "héllo"})");
}

TEST_F(Rabbitmq, RoutesByPayloadAndMetadataAndSendsHeaders) {
    auto amqp = client();
    amqp.declare_exchange("things", "topic");
    amqp.declare_queue("high");
    amqp.bind("high", "things", "orders.*");
    SinkUnderTest sink(
        "rabbitmq",
        {{"uri", broker->uri()},
         {"exchange", "{metadata:/exchange}"},
         {"routing_key", "orders.{/queue_name}"},
         {"headers",
          {{"tenant", "t-{/tenant}"}, {"source", "postgres"}, {"version", 3}, {"test", true}}},
         {"properties",
          {{"type", "{/tg_name}"},
           {"correlation_id", "{/tenant}"},
           {"priority", 4},
           {"expiration_ms", 60000},
           {"persistent", false},
           {"content_type", "text/json"},
           {"app_id", "shop"}}}});
    const auto outcomes =
        sink.publish(Events().add(R"({"tg_name": "order", "queue_name": "7", "tenant": 12})", "",
                                  R"({"exchange": "things"})"));
    ASSERT_EQ(outcomes.verdicts, verdicts(1)) << reason_for(outcomes, 0) << outcomes.reason;
    const auto message = amqp.take("high").value();
    EXPECT_EQ(message.exchange, "things");
    EXPECT_EQ(message.routing_key, "orders.7");
    EXPECT_THAT(message.headers,
                ElementsAre(std::pair("source", "postgres"), std::pair("tenant", "t-12"),
                            std::pair("test", "true"), std::pair("version", "3")));
    EXPECT_EQ(message.type, "order");
    EXPECT_EQ(message.correlation_id, "12");
    EXPECT_EQ(message.priority, 4);
    EXPECT_EQ(message.expiration, "60000");
    EXPECT_EQ(message.delivery_mode, 1);
    EXPECT_EQ(message.content_type, "text/json");
    EXPECT_EQ(message.app_id, "shop");
}

TEST_F(Rabbitmq, RejectsAnEventWithoutItsRouteOrTakesTheDefault) {
    auto amqp = client();
    amqp.declare_queue("named");
    amqp.declare_queue("misc");
    auto settings = to_queue("{/queue_name}");
    settings["headers"] = {{"tenant", "{/tenant}"}};
    settings["missing_headers"] = "omit";
    Events events;
    events.add(R"({"queue_name": "named", "tenant": "a"})").add(R"({"tenant": "b"})");
    {
        SinkUnderTest sink("rabbitmq", settings);
        const auto outcomes = sink.publish(events);
        EXPECT_THAT(outcomes.verdicts, ElementsAre(Verdict::delivered, Verdict::rejected));
        EXPECT_EQ(reason_for(outcomes, 1), "routing_key: the payload has no value at /queue_name");
        EXPECT_THAT(amqp.take_bodies("named"), testing::SizeIs(1));
    }
    settings["routing_key_default"] = "misc";
    events.add(R"({"n": 3})").add("{\"queue_name\": \"" + std::string(300, 'x') + "\"}");
    SinkUnderTest sink("rabbitmq", settings);
    const auto outcomes = sink.publish(events);
    EXPECT_THAT(outcomes.verdicts, ElementsAre(Verdict::delivered, Verdict::delivered,
                                               Verdict::delivered, Verdict::rejected));
    EXPECT_EQ(reason_for(outcomes, 3), "routing_key would have 300 bytes, and AMQP allows 255");
    const auto rest = amqp.take_all("misc");
    ASSERT_EQ(rest.size(), 2U);
    EXPECT_EQ(rest[0].headers.at("tenant"), "b");
    EXPECT_TRUE(rest[1].headers.empty());
}

TEST_F(Rabbitmq, NeverCountsAReturnedMessageAsDelivered) {
    SinkUnderTest sink("rabbitmq", to_queue("no such queue"));
    const auto outcomes = sink.publish(Events().fill(3));
    EXPECT_EQ(outcomes.status, Status::ok);
    EXPECT_THAT(outcomes.verdicts,
                ElementsAre(Verdict::retry, Verdict::not_attempted, Verdict::not_attempted));
    EXPECT_THAT(reason_for(outcomes, 0),
                HasSubstr("no queue for routing key \"no such queue\" at exchange \"\""));
    EXPECT_GE(sink.counter("returned_total"), 1U);
    EXPECT_EQ(sink.counter("confirmed_total"), 0U);
}

TEST_F(Rabbitmq, RejectsWhatIsUnroutableWhereItIsToldToAndGoesOn) {
    auto amqp = client();
    amqp.declare_queue("there");
    auto settings = to_queue("{/to}");
    settings["on_unroutable"] = "reject";
    Events events;
    std::vector<Verdict> wanted;
    for (int i = 0; i < 200; ++i) {
        const bool lost = i % 3 == 1;
        events.add(lost ? R"({"to": "nowhere"})" : R"({"to": "there"})");
        wanted.push_back(lost ? Verdict::rejected : Verdict::delivered);
    }
    SinkUnderTest sink("rabbitmq", settings);
    EXPECT_EQ(sink.publish(events).verdicts, wanted);
    EXPECT_EQ(amqp.take_all("there").size(), 133U);
}

TEST_F(Rabbitmq, TakesWhatIsUnroutableForDeliveredOnlyWithoutMandatory) {
    auto settings = to_queue("no such queue");
    settings["mandatory"] = false;
    SinkUnderTest sink("rabbitmq", settings);
    EXPECT_EQ(sink.publish(Events().fill(3)).verdicts, verdicts(3));
}

TEST_F(Rabbitmq, RetriesWhatTheBrokerRefusesAndChargesNobodyBehindIt) {
    auto amqp = client();
    amqp.declare_queue("full 1");
    SinkUnderTest sink("rabbitmq", to_queue("full 1"));
    const auto outcomes = sink.publish(Events().fill(50));
    EXPECT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    EXPECT_EQ(outcomes.verdicts[0], Verdict::delivered);
    EXPECT_EQ(std::count(outcomes.verdicts.begin(), outcomes.verdicts.end(), Verdict::retry), 1);
    EXPECT_THAT(outcomes.reasons, testing::SizeIs(1));
    EXPECT_THAT(outcomes.reasons.at(0).text, HasSubstr("basic.nack"));
    EXPECT_GE(sink.counter("nacked_total"), 1U);
    // The window is down to one message: the next batch is refused at its first.
    const auto again = sink.publish(Events().fill(50));
    EXPECT_EQ(again.verdicts[0], Verdict::retry);
    EXPECT_THAT(std::vector(again.verdicts.begin() + 1, again.verdicts.end()),
                Each(Verdict::not_attempted));
    EXPECT_EQ(sink.counter("published_total"), 51U);
    // It opens again as the broker takes messages.
    amqp.take_all("full 1");
    EXPECT_EQ(sink.publish(Events().fill(1)).verdicts, verdicts(1));
    amqp.delete_queue("full 1");
}

TEST_F(Rabbitmq, WithStrictOrderSendsNothingBehindAnUnconfirmedEventOfTheKey) {
    auto amqp = client();
    amqp.declare_queue("full 2");
    amqp.declare_queue("free");
    auto settings = to_queue("{/to}");
    settings["strict_order"] = true;
    SinkUnderTest sink("rabbitmq", settings);
    Events events;
    for (int i = 0; i < 5; ++i)
        events.add(R"({"to": "full 2"})", "a").add(R"({"to": "free"})", "b");
    const auto outcomes = sink.publish(events);
    EXPECT_THAT(outcomes.verdicts,
                ElementsAre(Verdict::delivered, Verdict::delivered, Verdict::retry,
                            Verdict::delivered, Verdict::not_attempted, Verdict::delivered,
                            Verdict::not_attempted, Verdict::delivered, Verdict::not_attempted,
                            Verdict::delivered));
    // Nothing was published behind the refused one: two of the first key, five of the second.
    EXPECT_EQ(sink.counter("published_total"), 7U);
    amqp.delete_queue("full 2");
    amqp.take_all("free");
}

TEST_F(Rabbitmq, FindsTheOneMessageThatIsTooLargeAndRejectsOnlyThat) {
    auto amqp = client();
    amqp.declare_queue("sizes");
    SinkUnderTest sink("rabbitmq", to_queue("sizes"));
    Events events;
    events.fill(20).add("\"" + std::string(RabbitmqBroker::max_message_size, 'x') + "\"").fill(20);
    const auto outcomes = sink.publish(events);
    ASSERT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    std::vector<Verdict> wanted = verdicts(41);
    wanted[20] = Verdict::rejected;
    EXPECT_EQ(outcomes.verdicts, wanted);
    EXPECT_THAT(reason_for(outcomes, 20), HasSubstr("larger than configured max size"));
    std::vector<std::string> wanted_bodies;
    for (int n = 1; n <= 41; ++n)
        if (n != 21) wanted_bodies.push_back("{\"n\":" + std::to_string(n) + "}");
    EXPECT_EQ(first_of_each(amqp.take_bodies("sizes")), wanted_bodies);
}

TEST_F(Rabbitmq, CarriesAPayloadOfManyFrames) {
    auto amqp = client();
    amqp.declare_queue("large");
    const std::string payload = "\"" + std::string(1900000, 'y') + "\"";
    SinkUnderTest sink("rabbitmq", to_queue("large"));
    EXPECT_EQ(sink.publish(Events().add(payload).add("{}").add(payload)).verdicts, verdicts(3));
    EXPECT_THAT(amqp.take_bodies("large"), ElementsAre(payload, "{}", payload));
}

TEST_F(Rabbitmq, SaysThatItsExchangeIsMissingAndGoesOnWhenItIsThere) {
    auto settings = to_queue("k");
    settings["exchange"] = "later";
    SinkUnderTest sink("rabbitmq", settings);
    const auto probe = sink.probe();
    EXPECT_EQ(probe.status, Status::unavailable);
    EXPECT_THAT(probe.reason, AllOf(HasSubstr("no exchange 'later' in vhost '/'"),
                                    HasSubstr("create the exchange")));
    EXPECT_EQ(sink.publish(Events().fill(2)).status, Status::unavailable);
    auto amqp = client();
    amqp.declare_exchange("later", "fanout");
    amqp.declare_queue("all of later");
    amqp.bind("all of later", "later", "");
    EXPECT_EQ(sink.probe().status, Status::ok);
    EXPECT_EQ(sink.publish(Events().fill(2)).verdicts, verdicts(2));
    EXPECT_EQ(amqp.take_all("all of later").size(), 2U);
    // Gone under a connection that stands.
    amqp.delete_exchange("later");
    const auto gone = sink.publish(Events().fill(2));
    EXPECT_EQ(gone.status, Status::unavailable);
    EXPECT_THAT(gone.reason, HasSubstr("no exchange 'later'"));
    EXPECT_THAT(gone.verdicts, Each(Verdict::not_attempted));
}

TEST_F(Rabbitmq, TreatsAnExchangeThatAnEventNamesInVainAsUnroutable) {
    auto settings = to_queue("k");
    settings["exchange"] = "{/exchange}";
    settings["on_unroutable"] = "reject";
    auto amqp = client();
    amqp.declare_exchange("real", "fanout");
    amqp.declare_queue("all of real");
    amqp.bind("all of real", "real", "");
    SinkUnderTest sink("rabbitmq", settings);
    Events events;
    for (int i = 0; i < 6; ++i)
        events.add(i == 3 ? R"({"exchange": "unreal"})" : R"({"exchange": "real"})");
    const auto outcomes = sink.publish(events);
    std::vector<Verdict> wanted = verdicts(6);
    wanted[3] = Verdict::rejected;
    EXPECT_EQ(outcomes.verdicts, wanted) << outcomes.reason;
    EXPECT_THAT(reason_for(outcomes, 3), HasSubstr("no exchange 'unreal'"));
    EXPECT_GE(amqp.take_all("all of real").size(), 5U);
}

TEST_F(Rabbitmq, MakesWhatDeclareListsAndSaysWhenItIsThereDifferently) {
    Json settings = to_queue("made.by.us");
    settings["exchange"] = "declared";
    settings["declare"] = {{"exchange", {{"type", "topic"}}},
                           {"queues",
                            {{{"name", "declared queue"},
                              {"type", "quorum"},
                              {"routing_keys", {"made.#"}},
                              {"arguments", {{"x-max-length", 1000}}}}}}};
    {
        SinkUnderTest sink("rabbitmq", settings);
        EXPECT_EQ(sink.publish(Events().fill(3)).verdicts, verdicts(3));
    }
    EXPECT_EQ(client().take_all("declared queue").size(), 3U);
    settings["declare"]["exchange"]["type"] = "direct";
    SinkUnderTest sink("rabbitmq", settings);
    const auto probe = sink.probe();
    EXPECT_EQ(probe.status, Status::unavailable);
    EXPECT_THAT(probe.reason,
                AllOf(HasSubstr("inequivalent arg 'type'"), HasSubstr("write those into declare")));
}

TEST_F(Rabbitmq, SaysWhatToDoAboutRefusedUsersAndUnknownVhosts) {
    const auto refused = [](const std::string &uri) {
        SinkUnderTest sink("rabbitmq", {{"uri", uri}, {"routing_key", "q"}});
        const auto probe = sink.probe();
        EXPECT_EQ(probe.status, Status::unavailable);
        EXPECT_EQ(sink.publish(Events().fill(1)).status, Status::unavailable);
        EXPECT_THAT(probe.reason, testing::Not(HasSubstr("wrong-password")));
        return probe.reason;
    };
    const std::string at = "@127.0.0.1:" + std::to_string(broker->port());
    EXPECT_THAT(refused("amqp://guest:wrong-password" + at),
                AllOf(HasSubstr("ACCESS_REFUSED"), HasSubstr("correct username and password")));
    EXPECT_THAT(refused("amqp://guest:guest" + at + "/nowhere"),
                AllOf(HasSubstr("nowhere"), HasSubstr("create the vhost")));
    EXPECT_THAT(refused("amqp://reader:reader" + at + "/other"), HasSubstr("give the user rights"));
}

TEST_F(Rabbitmq, SaysThatTheUserMayNotWrite) {
    client().declare_queue("guarded");
    SinkUnderTest sink("rabbitmq", {{"hosts", {"127.0.0.1:" + std::to_string(broker->port())}},
                                    {"username", "reader"},
                                    {"password", "reader"},
                                    {"routing_key", "guarded"}});
    const auto outcomes = sink.publish(Events().fill(2));
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_THAT(outcomes.reason,
                AllOf(HasSubstr("ACCESS_REFUSED"), HasSubstr("write to the exchange")));
}

TEST_F(Rabbitmq, TriesHostsInTurnAndUsesTheVhost) {
    AmqpClient other(broker->port(), "other");
    other.declare_queue("elsewhere");
    const std::string uri = "amqp://guest:guest@127.0.0.1:" + std::to_string(support::free_port()) +
                            ",localhost:" + std::to_string(broker->port()) + "/other";
    SinkUnderTest sink("rabbitmq", {{"uri", uri}, {"routing_key", "elsewhere"}});
    EXPECT_EQ(sink.publish(Events().fill(2)).verdicts, verdicts(2));
    EXPECT_EQ(other.take_all("elsewhere").size(), 2U);
    EXPECT_EQ(sink.counter("connection_failures_total"), 1U);
}

TEST_F(Rabbitmq, SpeaksTlsAndLogsInByCertificate) {
    auto amqp = client();
    amqp.declare_queue("secret");
    const support::Certificate ours(broker->certificate());
    const Json tls = {{"ca_file", broker->certificate().certificate_file()},
                      {"cert_file", ours.certificate_file()},
                      {"key_file", ours.key_file()}};
    const std::string at = "localhost:" + std::to_string(broker->tls_port());
    SinkUnderTest plain("rabbitmq", {{"uri", "amqps://guest:guest@" + at},
                                     {"tls", {{"ca_file", tls["ca_file"]}}},
                                     {"routing_key", "secret"}});
    const std::string large(300000, 'z');
    EXPECT_EQ(plain.publish(Events().fill(500).add("\"" + large + "\"")).verdicts, verdicts(501));
    Json with_certificate = {
        {"hosts", {at}}, {"sasl", "external"}, {"tls", tls}, {"routing_key", "secret"}};
    with_certificate["tls"]["enabled"] = true;
    SinkUnderTest external("rabbitmq", with_certificate);
    const auto outcomes = external.publish(Events().fill(2));
    EXPECT_EQ(outcomes.verdicts, verdicts(2)) << outcomes.reason;
    EXPECT_EQ(amqp.take_all("secret").size(), 503U);
}

TEST_F(Rabbitmq, SaysWhyItDoesNotTrustABroker) {
    const support::Certificate stranger;
    const auto reason = [&](const std::string &host, Json tls) {
        SinkUnderTest sink("rabbitmq",
                           {{"uri", "amqps://" + host + ":" + std::to_string(broker->tls_port())},
                            {"tls", std::move(tls)},
                            {"routing_key", "secret"}});
        const auto probe = sink.probe();
        EXPECT_EQ(probe.status, Status::unavailable);
        return probe.reason;
    };
    EXPECT_THAT(reason("localhost", {{"ca_file", stranger.certificate_file()}}),
                AllOf(HasSubstr("not trusted"), HasSubstr("set tls.ca_file")));
    EXPECT_THAT(reason("127.0.0.1", {{"ca_file", broker->certificate().certificate_file()},
                                     {"server_name", "elsewhere.example"}}),
                AllOf(HasSubstr("not trusted"), HasSubstr("set tls.server_name")));
    // TLS to the port that has none.
    SinkUnderTest wrong_port("rabbitmq",
                             {{"uri", "amqps://127.0.0.1:" + std::to_string(broker->port())},
                              {"connect_timeout_ms", 2000},
                              {"routing_key", "secret"}});
    EXPECT_EQ(wrong_port.probe().status, Status::unavailable);
}

} // namespace
} // namespace pgat::test
