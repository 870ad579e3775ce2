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

TEST(TimeText, IsReadBackWithAnyOffset) {
    const Timestamp time(1'795'334'400'123'456);
    for (const auto *text : {"2026-11-22T08:00:00.123456Z", "2026-11-22 08:00:00.123456+00",
                             "2026-11-22T08:00:00.123456z", "2026-11-22T13:45:00.123456+05:45",
                             "2026-11-22T13:45:00.123456+0545", "2026-11-21T23:00:00.123456-09"})
        EXPECT_EQ(parse_time(text), time) << text;
    EXPECT_EQ(parse_time("2026-11-22T08:00Z"), Timestamp(1'795'334'400'000'000));
    EXPECT_EQ(parse_time("2026-11-22T08:00:00.5Z"), Timestamp(1'795'334'400'500'000));
    for (const auto value : {INT64_C(0), INT64_C(-1), INT64_C(951'782'400'000'001)}) {
        EXPECT_EQ(parse_time(time_text(Timestamp(value))), Timestamp(value));
        EXPECT_EQ(parse_time(iso_time_text(Timestamp(value))), Timestamp(value));
    }
}

TEST(TimeText, IsNotReadWhereItIsNoTimeOrSaysNoZone) {
    for (const auto *text : {"",
                             "2026",
                             "2026-11-22",
                             "2026-11-22T08:00",
                             "2026-11-22T08:00:00.123456",
                             "2026-11-22T08:00:00+",
                             "2026-11-22T08:00:00+1",
                             "2026-11-22T08:00:00+01:",
                             "2026-11-22T08:00:00+01:0",
                             "2026-02-30T08:00Z",
                             "2026-13-01T08:00Z",
                             "2026-11-22T24:00Z",
                             "2026-11-22T08:60Z",
                             "2026-11-22T08:00:00.Z",
                             "2026-11-22T08:00:00.1234567Z",
                             "2026-11-22T08:00Z ",
                             "2026-11-22T8:00Z",
                             "yesterday",
                             "2026-11-22T08:00:00+16:00",
                             "22-11-2026T08:00Z"})
        EXPECT_FALSE(parse_time(text)) << text;
}

} // namespace
} // namespace pgat::outbox
