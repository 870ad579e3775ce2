#include <gtest/gtest.h>

#include "delivery/progress.hpp"

namespace pgat::delivery {
namespace {

using outbox::Snapshot;

struct ProgressTest : testing::Test {
    outbox::Cursor cursor;
    Progress progress{cursor, Lsn(100)};
    std::shared_ptr<outbox::Chunk> chunk = std::make_shared<outbox::Chunk>();
    Batch batch;

    void events(std::uint64_t xid, std::int64_t first, std::int64_t last) {
        for (auto id = first; id <= last; ++id)
            chunk->events.push_back({Xid(xid), {EventId(id), Timestamp(id)}, Lsn(), "{}", {}});
    }
    void commit(std::uint64_t xid, std::uint64_t position) {
        batch.marks.push_back({chunk->events.size(), Lsn(position), Xid(xid)});
    }
    void settle(std::size_t prefix, std::vector<std::size_t> delivered = {}) {
        for (const auto &event : chunk->events)
            batch.events.push_back(&event);
        const bool whole = prefix == batch.events.size();
        progress.settle_streamed(batch, {prefix, std::move(delivered), whole, std::nullopt});
    }
    bool held(std::uint64_t xid, std::int64_t id) const {
        return cursor.holds(Xid(xid), {EventId(id), Timestamp(id)});
    }
    static outbox::Capture capture(std::uint64_t xmax, std::uint64_t wal, std::int64_t seq = 0) {
        const auto text = std::to_string(xmax) + ":" + std::to_string(xmax) + ":";
        return {EventId(seq), Xid(xmax - 1), *Snapshot::parse(text), Lsn(wal)};
    }
};

TEST_F(ProgressTest, CountsATransactionAsDeliveredOnlyWithItsMark) {
    events(10, 1, 2);
    commit(10, 200);
    events(11, 3, 4);
    settle(4);
    EXPECT_TRUE(cursor.holds_all_of(Xid(10)));
    EXPECT_FALSE(cursor.holds_all_of(Xid(11)));
    EXPECT_TRUE(held(11, 4));
    EXPECT_FALSE(held(11, 5));
    EXPECT_EQ(progress.position(), Lsn(200));
}

TEST_F(ProgressTest, StopsInsideATransactionExactlyWhereDeliveryDid) {
    events(10, 1, 2);
    commit(10, 200);
    events(11, 3, 6);
    commit(11, 300);
    settle(4);
    EXPECT_TRUE(held(11, 4));
    EXPECT_FALSE(held(11, 5));
    EXPECT_EQ(progress.position(), Lsn(200));
}

TEST_F(ProgressTest, RemembersWhatWasDeliveredAheadOfTheRest) {
    events(10, 1, 3);
    commit(10, 200);
    settle(1, {2});
    EXPECT_TRUE(held(10, 1));
    EXPECT_FALSE(held(10, 2));
    EXPECT_TRUE(held(10, 3));
    EXPECT_EQ(progress.position(), Lsn(100));
}

TEST_F(ProgressTest, MovesTheSnapshotOnlyWhenDeliveryHasPassedTheCapture) {
    progress.expect(capture(50, 250));
    events(10, 1, 1);
    commit(10, 200);
    settle(1);
    EXPECT_TRUE(cursor.delivered().empty());
    EXPECT_TRUE(progress.wants_capture());
    EXPECT_FALSE(progress.worth_storing(Progress::Clock::now()));

    batch.clear();
    batch.marks.push_back({0, Lsn(250), Xid()});
    progress.settle_streamed(batch, {0, {}, true, std::nullopt});
    EXPECT_EQ(cursor.delivered(), capture(50, 0).snapshot);
    EXPECT_FALSE(progress.wants_capture());
    const auto stored = progress.worth_storing(Progress::Clock::now());
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->position, Lsn(250));
    EXPECT_TRUE(stored->cursor.extras().empty());
    EXPECT_FALSE(progress.worth_storing(Progress::Clock::now()));
}

TEST_F(ProgressTest, AnIdleStreamStoresItsPositionOnlyAfterMuchWal) {
    using namespace std::chrono_literals;
    const auto now = Progress::Clock::now();
    batch.marks.push_back({0, Lsn(100 + (2U << 20)), Xid()});
    progress.settle_streamed(batch, {0, {}, true, std::nullopt});
    EXPECT_FALSE(progress.worth_storing(now + 1s));
    EXPECT_TRUE(progress.worth_storing(now + 22s));
    batch.clear();
    batch.marks.push_back({0, Lsn(100 + (2U << 20) + 500), Xid()});
    progress.settle_streamed(batch, {0, {}, true, std::nullopt});
    EXPECT_FALSE(progress.worth_storing(now + 60s));
}

TEST_F(ProgressTest, StoresWhatASlowSinkTookThoughNoCaptureIsPassed) {
    using namespace std::chrono_literals;
    const auto now = Progress::Clock::now();
    events(10, 1, 5);
    settle(3);
    EXPECT_FALSE(progress.worth_storing(now + 1s));
    const auto stored = progress.worth_storing(now + 3s);
    ASSERT_TRUE(stored);
    EXPECT_TRUE(stored->cursor.holds(Xid(10), {EventId(3), Timestamp(3)}));
    EXPECT_FALSE(progress.worth_storing(now + 60s)) << "nothing new";
}

TEST_F(ProgressTest, ARoundThatIsCutShortGoesOnBehindWhatWasSettled) {
    cursor.begin_round(*Snapshot::parse("50:50:"));
    events(10, 1, 3);
    for (const auto &event : chunk->events)
        batch.events.push_back(&event);
    progress.settle_replayed(batch, {2, {}, false, std::nullopt});
    EXPECT_TRUE(held(10, 2));
    EXPECT_FALSE(held(10, 3));
}

// Transactions of one event each, 10, 11, …, whose marks are at 200, 300, …
struct HeldBackTest : ProgressTest {
    void transactions(std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) {
            events(10 + i, static_cast<std::int64_t>(i + 1), static_cast<std::int64_t>(i + 1));
            commit(10 + i, 200 + 100 * i);
        }
    }
};

TEST_F(HeldBackTest, CountsLaterTransactionsAsDeliveredThoughAnEarlierOneIsNot) {
    transactions(4);
    settle(1, {2});
    EXPECT_TRUE(cursor.holds_all_of(Xid(10)));
    EXPECT_FALSE(cursor.holds_all_of(Xid(11)));
    EXPECT_TRUE(cursor.holds_all_of(Xid(12)));
    EXPECT_FALSE(cursor.holds_all_of(Xid(13)));
    EXPECT_EQ(progress.position(), Lsn(200));
}

TEST_F(HeldBackTest, MovesTheSnapshotPastAnIncompleteTransactionWithoutIt) {
    transactions(4);
    settle(1, {2, 3});
    progress.expect(capture(50, 500));
    EXPECT_EQ(cursor.delivered(), Snapshot::parse("11:50:11"));
    EXPECT_TRUE(cursor.extras().empty());
    EXPECT_FALSE(held(11, 2));
    // It would be found in the table after a crash, so its WAL may go.
    EXPECT_EQ(progress.position(), Lsn(500));
    const auto stored = progress.worth_storing(Progress::Clock::now());
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->position, Lsn(500));
}

TEST_F(HeldBackTest, KeepsTheWalOfATransactionThatNoCaptureHasSeen) {
    transactions(4);
    settle(1, {2, 3});
    // Committed in the WAL, but to snapshots it is still running.
    outbox::Capture before = capture(50, 500);
    before.snapshot = *Snapshot::parse("11:50:11");
    progress.expect(before);
    EXPECT_EQ(cursor.delivered(), Snapshot::parse("11:50:11"));
    EXPECT_EQ(progress.position(), Lsn(200));
    EXPECT_TRUE(progress.wants_capture());
}

TEST_F(HeldBackTest, AppliesACaptureOnlyOnceAllBeforeItHasBeenOffered) {
    transactions(4);
    settle(1, {2, 3});
    progress.expect(capture(50, 501));
    EXPECT_TRUE(cursor.delivered().empty());
    EXPECT_EQ(progress.position(), Lsn(200));
}

TEST_F(HeldBackTest, ForgetsAnIncompleteTransactionOnceItIsSettled) {
    transactions(3);
    const Settled first{1, {2}, false, std::nullopt};
    settle(1, {2});
    batch.keep_unsettled(first);
    progress.expect(capture(50, 400));
    progress.settle_streamed(batch, {1, {}, true, std::nullopt});
    EXPECT_TRUE(cursor.holds_all_of(Xid(11)));
    EXPECT_EQ(progress.position(), Lsn(400));
    progress.expect(capture(60, 400));
    EXPECT_EQ(cursor.delivered(), capture(60, 0).snapshot);
    EXPECT_TRUE(cursor.extras().empty());
}

TEST_F(HeldBackTest, RemembersTheDeliveredEventsOfAnIncompleteTransaction) {
    events(10, 1, 5);
    commit(10, 200);
    events(11, 6, 9);
    settle(2, {3, 4, 5, 6, 8});
    for (const auto id : {1, 2, 4, 5})
        EXPECT_TRUE(held(10, id)) << id;
    EXPECT_FALSE(held(10, 3));
    for (const auto id : {6, 7, 9})
        EXPECT_TRUE(held(11, id)) << id;
    EXPECT_FALSE(held(11, 8));
    EXPECT_FALSE(progress.too_far_ahead());
    EXPECT_EQ(cursor.ahead().size(), 5U);
}

TEST_F(HeldBackTest, FollowsATransactionThatIsLargerThanABatch) {
    events(10, 1, 3);
    settle(0, {1, 2});
    batch.keep_unsettled({0, {1, 2}, false, std::nullopt});
    // Its next events, while the first one is still held …
    const auto more = std::make_shared<outbox::Chunk>();
    for (const std::int64_t id : {4, 5})
        more->events.push_back({Xid(10), {EventId(id), Timestamp(id)}, Lsn(), "{}", {}});
    for (const auto &event : more->events)
        batch.events.push_back(&event);
    progress.settle_streamed(batch, {0, {1}, false, std::nullopt});
    EXPECT_FALSE(held(10, 1));
    EXPECT_TRUE(held(10, 4));
    EXPECT_FALSE(held(10, 5));
    batch.keep_unsettled({0, {1}, false, std::nullopt});
    // … and after that its end.
    ASSERT_EQ(batch.events.size(), 2U);
    progress.settle_streamed(batch, {2, {}, true, std::nullopt});
    EXPECT_TRUE(held(10, 5));
    EXPECT_TRUE(cursor.ahead().empty());
    batch.clear();
    batch.marks.push_back({0, Lsn(200), Xid(10)});
    progress.settle_streamed(batch, {0, {}, true, std::nullopt});
    EXPECT_TRUE(cursor.holds_all_of(Xid(10)));
    EXPECT_TRUE(cursor.parts().empty());
    EXPECT_EQ(progress.position(), Lsn(200));
}

TEST_F(HeldBackTest, SaysWhenMoreRanAheadThanTheCursorHolds) {
    const auto most = static_cast<std::int64_t>(outbox::Cursor::most_ahead);
    events(10, 1, most + 2);
    std::vector<std::size_t> beyond;
    for (std::size_t i = 1; i < chunk->events.size(); ++i)
        beyond.push_back(i);
    settle(0, beyond);
    EXPECT_TRUE(progress.too_far_ahead());
    progress.start_at(Lsn(300));
    EXPECT_FALSE(progress.too_far_ahead());
}

} // namespace
} // namespace pgat::delivery
