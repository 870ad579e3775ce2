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

TEST_F(ProgressTest, ARoundThatIsCutShortGoesOnBehindWhatWasSettled) {
    cursor.begin_round(*Snapshot::parse("50:50:"));
    events(10, 1, 3);
    for (const auto &event : chunk->events)
        batch.events.push_back(&event);
    progress.settle_replayed(batch, {2, {}, false, std::nullopt});
    EXPECT_TRUE(held(10, 2));
    EXPECT_FALSE(held(10, 3));
}

} // namespace
} // namespace pgat::delivery
