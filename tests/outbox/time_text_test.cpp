#include "outbox/time_text.hpp"

#include <cstdint>

#include <gtest/gtest.h>

namespace pgat::outbox {
namespace {

TEST(TimeText, IsExactToTheMicrosecondInUtc) {
    EXPECT_EQ(time_text(Timestamp(0)), "1970-01-01 00:00:00.000000+00");
    EXPECT_EQ(time_text(Timestamp(-1)), "1969-12-31 23:59:59.999999+00");
    EXPECT_EQ(time_text(Timestamp(1'795'334'400'123'456)), "2026-11-22 08:00:00.123456+00");
    EXPECT_EQ(time_text(Timestamp(951'782'400'000'001)), "2000-02-29 00:00:00.000001+00");
    EXPECT_EQ(time_text(Timestamp(INT64_MAX)), "infinity");
}

} // namespace
} // namespace pgat::outbox
