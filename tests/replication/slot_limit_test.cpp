#include "replication/slot_limit.hpp"

#include <gtest/gtest.h>

namespace pgat::replication {
namespace {

using namespace std::chrono_literals;

const SlotLimit::Clock::time_point start{1000h};

TEST(SlotLimit, AllowsAFewSlotsAtOnce) {
    SlotLimit limit;
    for (std::size_t i = 0; i < SlotLimit::most; ++i) {
        EXPECT_EQ(limit.next(start), start);
        limit.note(start);
    }
    EXPECT_EQ(limit.next(start), start + 1h);
}

TEST(SlotLimit, AllowsOneMoreAnHourAfterTheOldestThatCounts) {
    SlotLimit limit;
    auto now = start;
    for (std::size_t i = 0; i < SlotLimit::most; ++i, now += 5min)
        limit.note(now);
    EXPECT_EQ(limit.next(now), start + 1h);
    EXPECT_EQ(limit.next(start + 2h), start + 2h);
    limit.note(start + 1h);
    EXPECT_EQ(limit.next(start + 1h), start + 1h + 5min);
}

TEST(SlotLimit, NeverBoundsASlotThatIsLostOnceInAWhile) {
    SlotLimit limit;
    auto now = start;
    for (int i = 0; i < 100; ++i, now += 10min) {
        EXPECT_EQ(limit.next(now), now);
        limit.note(now);
    }
}

} // namespace
} // namespace pgat::replication
