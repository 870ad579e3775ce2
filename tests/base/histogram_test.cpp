#include "base/histogram.hpp"

#include <gtest/gtest.h>

namespace pgat {
namespace {

TEST(Histogram, CountsAValueAtABoundWithThoseBelowIt) {
    Histogram<2> histogram({1, 10});
    for (const double value : {0.5, 1.0, 1.5, 10.0, 11.0, 1e9})
        histogram.observe(value);
    EXPECT_EQ(histogram.counts(), (std::array<std::uint64_t, 3>{2, 2, 2}));
    EXPECT_DOUBLE_EQ(histogram.sum(), 0.5 + 1 + 1.5 + 10 + 11 + 1e9);
}

} // namespace
} // namespace pgat
