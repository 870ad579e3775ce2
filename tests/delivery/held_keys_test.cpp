#include <gtest/gtest.h>

#include "delivery/held_keys.hpp"

namespace pgat::delivery {
namespace {

using namespace std::chrono_literals;

struct HeldKeysTest : testing::Test {
    HeldKeys keys{100ms, 400ms};
    HeldKeys::Clock::time_point now = HeldKeys::Clock::now();
};

TEST_F(HeldKeysTest, HoldsAKeyBackForItsBackoffAndNoOther) {
    const auto wait = keys.hold("a", now, 0ms);
    EXPECT_GE(wait, 50ms);
    EXPECT_LE(wait, 100ms);
    EXPECT_TRUE(keys.waits("a", now));
    EXPECT_FALSE(keys.waits("b", now));
    EXPECT_TRUE(keys.holds("a"));
    EXPECT_EQ(keys.next_attempt(), now + wait);
    EXPECT_FALSE(keys.waits("a", now + wait));
    EXPECT_TRUE(keys.holds("a"));
}

TEST_F(HeldKeysTest, DoublesTheWaitWithEachFailureUpToTheLongest) {
    EXPECT_LE(keys.hold("a", now, 0ms), 100ms);
    EXPECT_GE(keys.hold("a", now, 0ms), 100ms);
    EXPECT_GE(keys.hold("a", now, 0ms), 200ms);
    EXPECT_LE(keys.hold("a", now, 0ms), 400ms);
    EXPECT_LE(keys.hold("b", now, 0ms), 100ms);
}

TEST_F(HeldKeysTest, KeepsToWhatTheSinkAskedFor) {
    EXPECT_EQ(keys.hold("a", now, 5s), 5s);
    EXPECT_TRUE(keys.waits("a", now + 4s));
    EXPECT_FALSE(keys.waits("a", now + 5s));
}

TEST_F(HeldKeysTest, BeginsAnewOnceAnEventOfTheKeyIsSettled) {
    for (int i = 0; i < 5; ++i)
        keys.hold("a", now, 0ms);
    keys.release("a");
    EXPECT_TRUE(keys.empty());
    EXPECT_EQ(keys.next_attempt(), HeldKeys::Clock::time_point::max());
    EXPECT_LE(keys.hold("a", now, 0ms), 100ms);
}

TEST_F(HeldKeysTest, IsDueWhenTheFirstOfItsKeysIs) {
    keys.hold("late", now, 9s);
    keys.hold("soon", now, 1s);
    keys.hold("later", now, 10s);
    EXPECT_EQ(keys.next_attempt(), now + 1s);
    keys.release("soon");
    EXPECT_EQ(keys.next_attempt(), now + 9s);
}

} // namespace
} // namespace pgat::delivery
