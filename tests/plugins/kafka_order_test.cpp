// Which events the kafka sink may hand to the producer at once: without a broker.
#include <gtest/gtest.h>

#include "kafka/order.hpp"

namespace pgat::kafka {
namespace {

using Places = std::vector<Order::Place>;
using Events = std::vector<std::uint32_t>;

// All that may go now.
Events take(Order &order) {
    Events taken;
    std::uint32_t event = 0;
    while (order.next(event))
        taken.push_back(event);
    return taken;
}

TEST(KafkaOrder, LetsEventsOfOnePartitionFollowEachOtherWithoutWaiting) {
    Order order({{0, "a", 1}, {1, "b", 2}, {2, "a", 1}, {3, "b", 2}});
    EXPECT_EQ(take(order), (Events{0, 1, 2, 3}));
}

TEST(KafkaOrder, WaitsWhereAnEventOfAKeyGoesToAnotherPartition) {
    Order order({{0, "a", 1}, {1, "a", 2}, {2, "b", 3}, {3, "a", 2}, {4, "a", 1}});
    EXPECT_EQ(take(order), (Events{0, 2}));
    order.done(0);
    EXPECT_EQ(take(order), (Events{1, 3}));
    order.done(1);
    EXPECT_EQ(take(order), Events{});
    order.done(3);
    EXPECT_EQ(take(order), (Events{4}));
}

TEST(KafkaOrder, SendsEventsWithoutAKeyAfterAllBeforeThemAndBeforeAllAfterThem) {
    Order order({{0, "a", 1}, {1, "", 7}, {2, "", 7}, {3, "b", 2}, {4, "", 8}});
    EXPECT_EQ(take(order), (Events{0}));
    order.done(0);
    EXPECT_EQ(take(order), (Events{1, 2}));
    order.done(2);
    EXPECT_EQ(take(order), Events{});
    order.done(1);
    EXPECT_EQ(take(order), (Events{3}));
    order.done(3);
    EXPECT_EQ(take(order), (Events{4}));
}

TEST(KafkaOrder, SendsEventsWithoutAKeyOneByOneWhereEachGoesElsewhere) {
    Order order({{0, "", 1}, {1, "", 2}, {2, "", 3}});
    EXPECT_EQ(take(order), (Events{0}));
    order.done(0);
    EXPECT_EQ(take(order), (Events{1}));
    order.done(1);
    EXPECT_EQ(take(order), (Events{2}));
}

TEST(KafkaOrder, HoldsBackAKeyBehindARetryAndEverythingBehindTheNextEventWithoutOne) {
    Order order({{0, "a", 1}, {1, "a", 2}, {2, "b", 3}, {3, "a", 1}, {4, "", 5}, {5, "b", 3}});
    EXPECT_EQ(take(order), (Events{0, 2}));
    order.retried(0);
    EXPECT_EQ(take(order), Events{});
    order.done(2);
    EXPECT_EQ(take(order), Events{});
}

TEST(KafkaOrder, StopsBehindARetryWithoutAKey) {
    Order order({{0, "", 1}, {1, "a", 2}});
    EXPECT_EQ(take(order), (Events{0}));
    order.retried(0);
    EXPECT_EQ(take(order), Events{});
}

TEST(KafkaOrder, GivesAnEventAgainThatCouldNotGoJustNow) {
    Order order({{0, "a", 1}, {1, "", 2}});
    std::uint32_t event = 9;
    ASSERT_TRUE(order.next(event));
    order.later(event);
    EXPECT_EQ(take(order), (Events{0}));
    order.done(0);
    EXPECT_EQ(take(order), (Events{1}));
}

TEST(KafkaOrder, KeepsTheOrderOfAKeyThatChangesItsPartitionTwiceWhileOneIsAnsweredEarly) {
    Order order({{0, "a", 1}, {1, "a", 2}, {2, "a", 2}, {3, "a", 3}});
    EXPECT_EQ(take(order), (Events{0}));
    order.done(0);
    std::uint32_t event = 0;
    ASSERT_TRUE(order.next(event));
    EXPECT_EQ(event, 1U);
    order.done(1); // 2 may go, and has not yet
    EXPECT_EQ(take(order), (Events{2}));
    order.done(2);
    EXPECT_EQ(take(order), (Events{3}));
}

} // namespace
} // namespace pgat::kafka
