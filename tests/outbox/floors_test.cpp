#include "outbox/floors.hpp"

#include <gtest/gtest.h>

namespace pgat::outbox {
namespace {

Snapshot snapshot(std::string_view text) { return Snapshot::from_server(text); }

TEST(Floors, GiveTheNewestCaptureBelowXmin) {
    Floors floors;
    EXPECT_EQ(floors.floor_for(snapshot("10:20:")), EventId(0));
    floors.add(Xid(10), EventId(100));
    floors.add(Xid(20), EventId(200));
    floors.add(Xid(30), EventId(300));
    EXPECT_EQ(floors.floor_for(snapshot("10:40:10")), EventId(0)) << "10 itself may be open";
    EXPECT_EQ(floors.floor_for(snapshot("11:40:")), EventId(100));
    EXPECT_EQ(floors.floor_for(snapshot("21:40:")), EventId(200));
    EXPECT_EQ(floors.floor_for(snapshot("90:90:")), EventId(300));
}

TEST(Floors, AskXminAndNotXmax) {
    Floors floors;
    floors.add(Xid(10), EventId(100));
    floors.add(Xid(20), EventId(200));
    EXPECT_EQ(floors.floor_for(snapshot("15:40:15")), EventId(100));
}

TEST(Floors, ForgetOnlyWhatIsNeverAskedForAgain) {
    Floors floors;
    for (std::uint64_t i = 1; i <= 10; ++i)
        floors.add(Xid(i * 10), EventId(static_cast<std::int64_t>(i * 100)));
    floors.forget_below(Xid(55));
    EXPECT_EQ(floors.floor_for(snapshot("55:90:")), EventId(500));
    EXPECT_EQ(floors.floor_for(snapshot("75:90:")), EventId(700));
    EXPECT_EQ(floors.size(), 6U);
}

TEST(Floors, StayBoundedAndStillGiveALowerBoundWhileATransactionIsOpenForLong) {
    Floors floors;
    constexpr std::uint64_t captures = 100'000;
    for (std::uint64_t i = 1; i <= captures; ++i) {
        floors.add(Xid(i * 10), EventId(static_cast<std::int64_t>(i * 100)));
        ASSERT_LE(floors.size(), Floors::most);
    }
    for (std::uint64_t i = 1; i <= captures; i += 997) {
        const auto floor = floors.floor_for(snapshot(fmt::format("{0}:{0}:", i * 10 + 1)));
        const auto best = static_cast<std::int64_t>(i * 100);
        EXPECT_LE(floor, EventId(best));
        EXPECT_GE(floor.value(), best - static_cast<std::int64_t>(captures * 100 / 256));
    }
    EXPECT_EQ(floors.floor_for(snapshot("15:15:")), EventId(100)) << "the oldest stays";
}

TEST(Floors, TakeNoNoticeOfACaptureOutOfOrder) {
    Floors floors;
    floors.add(Xid(20), EventId(200));
    floors.add(Xid(10), EventId(100));
    EXPECT_EQ(floors.floor_for(snapshot("15:40:")), EventId(0));
    EXPECT_EQ(floors.floor_for(snapshot("25:40:")), EventId(200));
}

} // namespace
} // namespace pgat::outbox
