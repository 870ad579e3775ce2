#include <thread>

#include <gtest/gtest.h>

#include "base/weighted_queue.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using Queue = WeightedQueue<int>;

auto soon() { return std::chrono::steady_clock::now() + 10s; }

TEST(WeightedQueue, IsFullByCountOrByWeight) {
    Queue by_count({2, 1000});
    by_count.push(1, 1, 1);
    EXPECT_FALSE(by_count.full());
    by_count.push(2, 1, 1);
    EXPECT_TRUE(by_count.full());

    Queue by_weight({100, 10});
    by_weight.push(1, 1, 10);
    EXPECT_TRUE(by_weight.full());
}

TEST(WeightedQueue, RingsOnceWhenAFullQueueHasRoomAgain) {
    int rings = 0;
    Queue queue({2, 1000}, [&] { ++rings; });
    for (int i = 0; i < 3; ++i)
        queue.push(i, 1, 1);
    EXPECT_EQ(queue.try_pop(), 0);
    EXPECT_EQ(rings, 0);
    EXPECT_EQ(queue.try_pop(), 1);
    EXPECT_EQ(rings, 1);
    EXPECT_EQ(queue.try_pop(), 2);
    EXPECT_EQ(rings, 1);
}

TEST(WeightedQueue, DrainsAfterItIsClosedAndTakesNoMore) {
    Queue queue({10, 10});
    queue.push(1, 1, 1);
    queue.close();
    EXPECT_FALSE(queue.push(2, 1, 1));
    EXPECT_EQ(queue.pop_until(soon()), 1);
    EXPECT_EQ(queue.pop_until(soon()), std::nullopt);
}

TEST(WeightedQueue, WakesTheConsumerForAnItemANudgeAndTheEnd) {
    Queue queue({10, 10});
    std::thread producer([&] { queue.push(7, 1, 1); });
    EXPECT_EQ(queue.pop_until(soon()), 7);
    producer.join();
    std::thread nudger([&] { queue.nudge(); });
    EXPECT_EQ(queue.pop_until(soon()), std::nullopt);
    nudger.join();
    std::thread closer([&] { queue.close(); });
    EXPECT_EQ(queue.pop_until(soon()), std::nullopt);
    closer.join();
    EXPECT_TRUE(queue.closed());
}

TEST(WeightedQueue, ReturnsNothingAtItsDeadline) {
    Queue queue({10, 10});
    EXPECT_EQ(queue.pop_until(std::chrono::steady_clock::now() + 1ms), std::nullopt);
}

} // namespace
} // namespace pgat
