// poll_timeout() of pgat/sink.hpp: a deadline as poll() takes it.
#include <climits>

#include <gtest/gtest.h>

#include "pgat/sink.hpp"

namespace pgat::plugin {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(PollTimeout, IsWhatIsLeftUntilTheDeadline) {
    const int left = poll_timeout(steady_clock::now() + std::chrono::hours(1));
    EXPECT_LE(left, 3'600'000);
    EXPECT_GT(left, 3'000'000);
}

// Else a loop around poll() would spin through the last of them.
TEST(PollTimeout, CountsABegunMillisecondWhole) {
    const auto deadline = steady_clock::now() + std::chrono::hours(1);
    const int left = poll_timeout(deadline);
    EXPECT_GE(steady_clock::now() + milliseconds(left), deadline);
}

TEST(PollTimeout, IsNoneOncePast) {
    EXPECT_EQ(poll_timeout(steady_clock::now()), 0);
    EXPECT_EQ(poll_timeout(steady_clock::now() - std::chrono::hours(1)), 0);
    EXPECT_EQ(poll_timeout(TimePoint::min()), 0);
}

TEST(PollTimeout, WithoutADeadlineIsTheLongestThatPollTakes) {
    EXPECT_EQ(poll_timeout(time_point(0)), INT_MAX);
    EXPECT_EQ(poll_timeout(steady_clock::now() + std::chrono::hours(24 * 365)), INT_MAX);
}

} // namespace
} // namespace pgat::plugin
