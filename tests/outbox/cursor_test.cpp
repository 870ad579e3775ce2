#include "outbox/cursor.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace pgat::outbox {
namespace {

Snapshot snapshot(std::string_view text) { return Snapshot::from_server(text); }
Position at(std::int64_t id, std::int64_t time = 1000) { return {EventId(id), Timestamp(time)}; }

TEST(Cursor, HoldsNothingAtFirst) {
    const Cursor cursor;
    EXPECT_FALSE(cursor.holds(Xid(3), at(1)));
    EXPECT_FALSE(cursor.holds_all_of(Xid(3)));
    EXPECT_EQ(cursor.floor(), EventId(0));
}

TEST(Cursor, HoldsACommittedTransactionUntilTheSnapshotDoes) {
    Cursor cursor;
    cursor.commit(Xid(700));
    cursor.commit(Xid(703));
    EXPECT_TRUE(cursor.holds_all_of(Xid(700)));
    EXPECT_FALSE(cursor.holds_all_of(Xid(701)));
    EXPECT_TRUE(cursor.advance(snapshot("701:703:701"), EventId(9)));
    EXPECT_EQ(cursor.extras().sorted(), std::vector{Xid(703)});
    EXPECT_TRUE(cursor.holds_all_of(Xid(700)));
    EXPECT_FALSE(cursor.holds_all_of(Xid(701)));
    EXPECT_TRUE(cursor.holds_all_of(Xid(702)));
    EXPECT_TRUE(cursor.holds_all_of(Xid(703)));
    EXPECT_EQ(cursor.floor(), EventId(9));
}

TEST(Cursor, NeverGoesBack) {
    Cursor cursor;
    EXPECT_TRUE(cursor.advance(snapshot("10:20:12"), EventId(50)));
    EXPECT_FALSE(cursor.advance(snapshot("10:15:12"), EventId(40)));
    EXPECT_FALSE(cursor.advance(snapshot("10:20:12"), EventId(50)));
    EXPECT_EQ(cursor.delivered(), snapshot("10:20:12"));
    EXPECT_EQ(cursor.floor(), EventId(50));
    EXPECT_TRUE(cursor.advance(snapshot("13:20:"), EventId(40)));
    EXPECT_EQ(cursor.floor(), EventId(50));
}

TEST(Cursor, RefusesASnapshotOfAnotherHistory) {
    Cursor cursor;
    cursor.advance(snapshot("10:20:12"), EventId(0));
    EXPECT_THROW(cursor.advance(snapshot("10:30:13"), EventId(0)), Error);
    EXPECT_THROW(cursor.begin_round(snapshot("10:30:13")), Error);
    EXPECT_EQ(cursor.delivered(), snapshot("10:20:12"));
}

TEST(Cursor, HoldsAHalfDeliveredTransactionUpToAnId) {
    Cursor cursor;
    cursor.deliver_part(Xid(7), EventId(20));
    cursor.deliver_part(Xid(7), EventId(15));
    EXPECT_TRUE(cursor.holds(Xid(7), at(20)));
    EXPECT_FALSE(cursor.holds(Xid(7), at(21)));
    EXPECT_FALSE(cursor.holds(Xid(8), at(15)));
    EXPECT_FALSE(cursor.holds_all_of(Xid(7)));
    cursor.commit(Xid(7));
    EXPECT_TRUE(cursor.holds(Xid(7), at(21)));
    EXPECT_TRUE(cursor.parts().empty());
}

TEST(Cursor, HoldsEventsThatRanAheadUntilTheirTransactionIsHeld) {
    Cursor cursor;
    EXPECT_TRUE(cursor.deliver_ahead(Xid(7), EventId(20)));
    EXPECT_TRUE(cursor.deliver_ahead(Xid(7), EventId(12)));
    EXPECT_TRUE(cursor.deliver_ahead(Xid(9), EventId(14)));
    EXPECT_TRUE(cursor.deliver_ahead(Xid(7), EventId(20)));
    EXPECT_EQ(cursor.ahead().size(), 3U);
    EXPECT_TRUE(cursor.holds(Xid(7), at(12)));
    EXPECT_FALSE(cursor.holds(Xid(7), at(13)));
    cursor.deliver_part(Xid(7), EventId(13));
    EXPECT_EQ(cursor.ahead().size(), 2U) << "12 is part of the part";
    cursor.commit(Xid(7));
    EXPECT_EQ(cursor.ahead().size(), 1U);
    cursor.advance(snapshot("10:10:"), EventId(0));
    EXPECT_TRUE(cursor.ahead().empty());
}

TEST(Cursor, SaysWhenTooMuchRanAheadAndForgetsNoneOfIt) {
    Cursor cursor;
    for (std::size_t i = 0; i < Cursor::most_ahead; ++i)
        ASSERT_TRUE(cursor.deliver_ahead(Xid(7), EventId(static_cast<std::int64_t>(i) * 2)));
    EXPECT_FALSE(cursor.deliver_ahead(Xid(7), EventId(1)));
    EXPECT_FALSE(cursor.holds(Xid(7), at(1)));
    EXPECT_TRUE(cursor.holds(Xid(7), at(0)));
    EXPECT_TRUE(cursor.deliver_ahead(Xid(7), EventId(0))) << "it is held already";
}

TEST(Cursor, ForgetsEventsAheadOfUnknownTransactionsOnceTheFloorPassesThem) {
    Cursor cursor({}, {}, EventId(0), {}, {}, {{EventId(30), Xid()}, {EventId(10), Xid()}});
    EXPECT_TRUE(cursor.holds(Xid(7), at(10)));
    cursor.advance(snapshot("8:8:"), EventId(20));
    ASSERT_EQ(cursor.ahead().size(), 1U);
    EXPECT_EQ(cursor.ahead()[0].id, EventId(30));
}

TEST(Cursor, HoldsWhatARoundPassedAndOnlyWhatItSees) {
    Cursor cursor;
    cursor.begin_round(snapshot("10:20:12"));
    EXPECT_FALSE(cursor.holds(Xid(5), at(1)));
    EXPECT_EQ(cursor.round_from(), EventId(0));
    cursor.round_delivered(at(7, 500));
    cursor.round_delivered(at(6, 900));
    EXPECT_EQ(cursor.round_from(), EventId(7));
    EXPECT_TRUE(cursor.holds(Xid(5), at(7, 500)));
    EXPECT_TRUE(cursor.holds(Xid(5), at(6, 900)));
    EXPECT_FALSE(cursor.holds(Xid(5), at(7, 501)));
    EXPECT_FALSE(cursor.holds(Xid(12), at(1))) << "R does not see it";
    cursor.commit(Xid(19));
    cursor.commit(Xid(21));
    cursor.deliver_part(Xid(11), EventId(9));
    cursor.deliver_part(Xid(12), EventId(9));
    cursor.end_round(EventId(3));
    EXPECT_FALSE(cursor.round());
    EXPECT_EQ(cursor.delivered(), snapshot("10:20:12"));
    EXPECT_EQ(cursor.extras().sorted(), std::vector{Xid(21)});
    ASSERT_EQ(cursor.parts().size(), 1U);
    EXPECT_EQ(cursor.parts()[0].xid, Xid(12));
    EXPECT_EQ(cursor.floor(), EventId(3));
}

TEST(Cursor, KeepsTheNewerSnapshotWhenItAdvancedDuringARound) {
    Cursor cursor;
    cursor.begin_round(snapshot("10:20:12"));
    cursor.advance(snapshot("30:30:"), EventId(80));
    cursor.end_round(EventId(70));
    EXPECT_EQ(cursor.delivered(), snapshot("30:30:"));
    EXPECT_EQ(cursor.floor(), EventId(80));
}

TEST(Cursor, RefusesASecondRound) {
    Cursor cursor;
    EXPECT_THROW(cursor.end_round(EventId(0)), std::logic_error);
    EXPECT_THROW(cursor.round_delivered(at(1)), std::logic_error);
    cursor.begin_round(snapshot("10:20:12"));
    EXPECT_THROW(cursor.begin_round(snapshot("20:20:")), std::logic_error);
}

} // namespace
} // namespace pgat::outbox
