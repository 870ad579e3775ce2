// The parts of the rabbitmq sink that decide without a broker: order, confirms, the window, URIs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "rabbitmq/confirms.hpp"
#include "rabbitmq/order.hpp"
#include "rabbitmq/slow_start.hpp"
#include "rabbitmq/uri.hpp"

namespace pgat::rabbitmq {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

std::vector<std::uint32_t> all_that_may_go(Order &order) {
    std::vector<std::uint32_t> events;
    while (const auto event = order.next())
        events.push_back(*event);
    return events;
}

TEST(Order, SendsEverythingInTurnWithoutWaiting) {
    Order order({"", "a", "a", "", "b"}, false);
    EXPECT_THAT(all_that_may_go(order), ElementsAre(0, 1, 2, 3, 4));
}

TEST(Order, SendsNothingThatComesAfterARetriedEvent) {
    Order order({"a", "b", "a", "b", "", "b"}, false);
    EXPECT_EQ(order.next(), 0U);
    order.retry(0);
    EXPECT_THAT(all_that_may_go(order), ElementsAre(1, 3));
    EXPECT_TRUE(order.behind_retry(2));
    EXPECT_TRUE(order.behind_retry(4));
    EXPECT_TRUE(order.behind_retry(5));
    EXPECT_FALSE(order.behind_retry(3));
    order.done(1);
    order.done(3);
    EXPECT_FALSE(order.has_more());
}

TEST(Order, StopsBehindARetriedEventWithoutAKey) {
    Order order({"a", "", "b"}, false);
    EXPECT_EQ(order.next(), 0U);
    EXPECT_EQ(order.next(), 1U);
    order.retry(1);
    EXPECT_EQ(order.next(), std::nullopt);
    EXPECT_TRUE(order.behind_retry(2));
    EXPECT_FALSE(order.behind_retry(0));
}

TEST(Order, SendsAgainWhatWasUnderWayAndOnlyThat) {
    Order order({"", "", "", ""}, false);
    order.next();
    order.next();
    order.next();
    order.done(1);
    order.rewind();
    EXPECT_THAT(all_that_may_go(order), ElementsAre(0, 2, 3));
}

TEST(StrictOrder, SendsOneOfAKeyAtATimeAndWaitsAtEventsWithoutOne) {
    Order order({"a", "b", "a", "", "b", "a"}, true);
    EXPECT_THAT(all_that_may_go(order), ElementsAre(0, 1));
    order.done(0);
    EXPECT_THAT(all_that_may_go(order), ElementsAre(2));
    order.done(1);
    EXPECT_THAT(all_that_may_go(order), SizeIs(0));
    order.done(2);
    EXPECT_THAT(all_that_may_go(order), ElementsAre(3));
    order.done(3);
    EXPECT_THAT(all_that_may_go(order), ElementsAre(4, 5));
}

TEST(StrictOrder, HoldsBackTheKeyOfARetriedEventAndWhatComesAfterAll) {
    Order order({"a", "b", "a", "b", "", "c"}, true);
    EXPECT_THAT(all_that_may_go(order), ElementsAre(0, 1));
    order.retry(0);
    order.done(1);
    EXPECT_THAT(all_that_may_go(order), ElementsAre(3));
    order.done(3);
    EXPECT_EQ(order.next(), std::nullopt);
    EXPECT_FALSE(order.has_more());
}

TEST(StrictOrder, GoesOnWhereItWasAfterARewind) {
    Order order({"a", "a", "b", "", "a"}, true);
    EXPECT_THAT(all_that_may_go(order), ElementsAre(0, 2));
    order.done(0);
    EXPECT_EQ(order.next(), 1U);
    order.rewind();
    EXPECT_THAT(all_that_may_go(order), ElementsAre(1, 2));
    order.done(1);
    order.done(2);
    EXPECT_EQ(order.next(), 3U);
}

std::vector<std::uint32_t> answered(Confirms &confirms, std::uint64_t number, bool multiple) {
    std::vector<Confirms::Answered> taken;
    confirms.take(number, multiple, taken);
    std::vector<std::uint32_t> events;
    for (const auto &one : taken)
        events.push_back(one.event);
    return events;
}

TEST(Confirms, SettleOneOrAllUpToItAndNothingTwice) {
    Confirms confirms;
    for (std::uint32_t i = 0; i < 6; ++i)
        confirms.add(i + 1, i + 10);
    EXPECT_THAT(answered(confirms, 2, false), ElementsAre(11));
    EXPECT_THAT(answered(confirms, 2, false), SizeIs(0));
    EXPECT_THAT(answered(confirms, 4, true), ElementsAre(10, 12, 13));
    EXPECT_THAT(confirms.events(), ElementsAre(14, 15));
    EXPECT_THAT(answered(confirms, 99, false), SizeIs(0));
    EXPECT_THAT(answered(confirms, 0, true), ElementsAre(14, 15));
    EXPECT_TRUE(confirms.empty());
}

TEST(Confirms, RememberWhatWasReturnedUntilItIsConfirmed) {
    Confirms confirms;
    confirms.add(1, 7);
    confirms.add(2, 8);
    confirms.note_return(8, "no queue");
    std::vector<Confirms::Answered> taken;
    confirms.take(2, true, taken);
    ASSERT_THAT(taken, SizeIs(2));
    EXPECT_EQ(taken[0].returned, "");
    EXPECT_EQ(taken[1].returned, "no queue");
}

TEST(SlowStart, BeginsAtOneAfterARefusalAndDoubles) {
    SlowStart window(10);
    window.taken(1000);
    EXPECT_EQ(window.limit(), 10U);
    window.refused(1);
    EXPECT_EQ(window.limit(), 1U);
    window.taken(1);
    EXPECT_EQ(window.limit(), 2U);
    window.taken(2);
    EXPECT_EQ(window.limit(), 4U);
    window.taken(12);
    EXPECT_EQ(window.limit(), 10U);
    // One of three is to blame: as many go alone.
    window.refused(3);
    window.taken(1);
    window.taken(1);
    EXPECT_EQ(window.limit(), 1U);
    window.taken(1);
    EXPECT_EQ(window.limit(), 2U);
}

TEST(Uri, NamesHostsUserAndVhost) {
    const auto brokers = read_uri("amqps://us%40er:p%3As@one:1,[::1]:2,three/a%2Fb");
    ASSERT_THAT(brokers, SizeIs(3));
    EXPECT_EQ(brokers[0].name(), "one:1");
    EXPECT_EQ(brokers[1].host, "::1");
    EXPECT_EQ(brokers[1].port, 2);
    EXPECT_EQ(brokers[2].port, 5671);
    EXPECT_EQ(brokers[2].username, "us@er");
    EXPECT_EQ(brokers[2].password, "p:s");
    EXPECT_EQ(brokers[2].vhost, "a/b");
    EXPECT_TRUE(brokers[2].tls);
    EXPECT_EQ(read_uri("amqp://host").front().vhost, "/");
    EXPECT_EQ(read_uri("amqp://host/").front().vhost, "/");
    EXPECT_EQ(read_uri("amqp://host//").front().vhost, "/");
    EXPECT_EQ(read_uri("amqp://host").front().username, "guest");
    EXPECT_EQ(read_uri("amqp://host").front().port, 5672);
}

TEST(Uri, IsRefusedWithoutBeingShown) {
    for (const char *const bad :
         {"http://secret@host", "amqp://secret@", "amqp://secret@host:0", "amqp://secret@host:x",
          "amqp://secret@host:99999", "amqp://secret@host,/", "amqp://se%4@host",
          "amqp://secret@host/a/b", "amqp://secret@host?heartbeat=3"}) {
        try {
            read_uri(bad);
            ADD_FAILURE() << bad << " was taken";
        } catch (const plugin::Failure &failure) {
            EXPECT_EQ(failure.status(), PGAT_E_CONFIG);
            EXPECT_EQ(std::string(failure.what()).find("secret"), std::string::npos)
                << failure.what();
        }
    }
}

} // namespace
} // namespace pgat::rabbitmq
