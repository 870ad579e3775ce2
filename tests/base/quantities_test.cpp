#include "base/quantities.hpp"

#include <gtest/gtest.h>

namespace pgat {
namespace {

TEST(Quantities, AreReadAtAGlance) {
    EXPECT_EQ(duration_text(12), "12 s");
    EXPECT_EQ(duration_text(185), "3 min 05 s");
    EXPECT_EQ(duration_text(2 * 3600 + 14 * 60), "2 h 14 min");
    EXPECT_EQ(duration_text(6 * 86400 + 3600), "6 d 01 h");
    EXPECT_EQ(size_text(512), "512 bytes");
    EXPECT_EQ(size_text(1610612736), "1.5 GB");
    EXPECT_EQ(size_text(INT64_MAX), "8388608.0 TB");
    EXPECT_EQ(count_text(0), "0");
    EXPECT_EQ(count_text(999), "999");
    EXPECT_EQ(count_text(1000), "1,000");
    EXPECT_EQ(count_text(1234567), "1,234,567");
    EXPECT_EQ(count_text(-123456), "-123,456");
    EXPECT_EQ(count_text(1, "event"), "1 event");
    EXPECT_EQ(count_text(2000, "event"), "2,000 events");
}

} // namespace
} // namespace pgat
