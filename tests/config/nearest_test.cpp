#include "config/nearest.hpp"

#include <gtest/gtest.h>

namespace pgat::config {

namespace {

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
    EXPECT_EQ(edit_distance("", ""), 0U);
    EXPECT_EQ(edit_distance("abc", ""), 3U);
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("batch", "bacth"), 1U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
    EXPECT_EQ(edit_distance("max_size", "max_sise"), 1U);
}

TEST(Nearest, PrefersTheSameNameElsewhereToAnotherNameHere) {
    EXPECT_EQ(nearest("stream.level", {"stream.id", "log.level", "stream.retry"}), "log.level");
    EXPECT_EQ(nearest("stream.i", {"log.level", "stream.id"}), "stream.id");
}

} // namespace

} // namespace pgat::config
