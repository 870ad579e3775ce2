#include <gtest/gtest.h>

#include "base/backoff.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToItsMaximumAndStaysWithinTheUpperHalf) {
    Backoff backoff(100ms, 1s, 7);
    for (const auto whole : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
        const auto wait = backoff.next();
        EXPECT_GE(wait, whole / 2);
        EXPECT_LE(wait, whole);
    }
}

TEST(Backoff, BeginsAgainAfterSuccess) {
    Backoff backoff(100ms, 60s, 7);
    for (int i = 0; i < 8; ++i)
        backoff.next();
    backoff.reset();
    EXPECT_LE(backoff.next(), 100ms);
}

TEST(Backoff, DoesNotKeepStepWithAnotherOne) {
    Backoff one(1s, 60s, 1);
    Backoff two(1s, 60s, 2);
    bool differ = false;
    for (int i = 0; i < 5; ++i)
        differ = differ || one.next() != two.next();
    EXPECT_TRUE(differ);
}

} // namespace
} // namespace pgat
