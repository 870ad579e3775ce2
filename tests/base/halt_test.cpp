#include <thread>

#include <gtest/gtest.h>

#include "base/halt.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;

TEST(Halt, EndsAWaitAtOnceAndStaysRung) {
    Halt halt;
    std::thread other([&] { halt.end_session(); });
    EXPECT_TRUE(halt.wait_for(10s));
    other.join();
    EXPECT_TRUE(halt.wait_for(0ms));
    EXPECT_TRUE(halt.halted());
    EXPECT_FALSE(halt.stopping());
}

TEST(Halt, IsSilentAgainForANewSession) {
    Halt halt;
    halt.end_session();
    halt.begin_session();
    EXPECT_FALSE(halt.halted());
    EXPECT_FALSE(halt.wait_for(1ms));
}

TEST(Halt, StaysHaltedForEverOnceTheProgramIsToEnd) {
    Halt halt;
    halt.stop();
    halt.begin_session();
    EXPECT_TRUE(halt.halted());
    EXPECT_TRUE(halt.stopping());
    EXPECT_TRUE(halt.wait_for(0ms));
}

TEST(Halt, CallsItsWakerAtEachRingWhileItStands) {
    Halt halt;
    int calls = 0;
    {
        const Halt::Waker waker(halt, [&] { ++calls; });
        halt.end_session();
        halt.stop();
    }
    halt.end_session();
    EXPECT_EQ(calls, 2);
}

} // namespace
} // namespace pgat
