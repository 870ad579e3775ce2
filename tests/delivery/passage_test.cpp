#include <gtest/gtest.h>

#include "delivery/dispatcher.hpp"
#include "delivery/passage.hpp"

namespace pgat::delivery {
namespace {

using outbox::Snapshot;

struct PassageTest : testing::Test {
    ChunkQueue queue{{1000, 1 << 20}};
    Passage passage{queue};

    // A chunk of whole transactions: xid and position of each, with one event.
    static ChunkPointer
    chunk(std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> transactions) {
        auto made = std::make_shared<outbox::Chunk>();
        for (const auto &[xid, position] : transactions) {
            made->events.push_back({Xid(xid), {EventId(1), Timestamp(1)}, Lsn(), "{}", {}});
            made->marks.push_back({made->events.size(), Lsn(position), Xid(xid)});
        }
        return made;
    }
    // A piece of one transaction, its end perhaps in another.
    static ChunkPointer piece(std::uint64_t xid, int events, std::uint64_t position = 0) {
        auto made = std::make_shared<outbox::Chunk>();
        for (int i = 0; i < events; ++i)
            made->events.push_back({Xid(xid), {EventId(i), Timestamp(1)}, Lsn(), "{}", {}});
        if (position != 0) made->marks.push_back({made->events.size(), Lsn(position), Xid(xid)});
        return made;
    }
    static ChunkPointer progress(std::uint64_t position) {
        auto made = std::make_shared<outbox::Chunk>();
        made->marks.push_back({0, Lsn(position), Xid()});
        return made;
    }
    static Snapshot sees_below(int xmax, const std::string &running = "") {
        const auto xmin = running.empty() ? std::to_string(xmax) : running;
        return Snapshot::from_server(xmin + ":" + std::to_string(xmax) + ":" + running);
    }
};

TEST_F(PassageTest, LetsTransactionsPassTheQueueWhileOpen) {
    passage.begin_at(Lsn(10));
    passage.pass(chunk({{100, 20}, {101, 30}}));
    EXPECT_FALSE(queue.try_pop());
    EXPECT_EQ(passage.position(), Lsn(30));
    EXPECT_EQ(passage.events(), 2U);
    passage.close();
    passage.pass(chunk({{102, 40}}));
    EXPECT_TRUE(queue.try_pop());
    EXPECT_EQ(passage.position(), Lsn(30));
}

TEST_F(PassageTest, AllowsToConfirmOnlyWhatACaptureHasSeen) {
    passage.begin_at(Lsn(10));
    passage.pass(chunk({{100, 20}, {101, 30}, {102, 40}}));
    EXPECT_TRUE(passage.wants_capture());
    EXPECT_EQ(passage.confirmable(), Lsn(10));
    // 101 has committed in the WAL, but snapshots do not see it yet.
    passage.see(sees_below(103, "101"));
    EXPECT_EQ(passage.confirmable(), Lsn(20));
    EXPECT_EQ(passage.remembered(), 1U);
    passage.pass(chunk({{103, 50}}));
    passage.see(sees_below(103));
    EXPECT_EQ(passage.confirmable(), Lsn(40));
    passage.see(sees_below(104));
    EXPECT_EQ(passage.confirmable(), Lsn(50));
    EXPECT_FALSE(passage.wants_capture());
    passage.pass(progress(60));
    EXPECT_EQ(passage.confirmable(), Lsn(60));
}

TEST_F(PassageTest, RemembersATransactionBeforeItsEndHasBeenRead) {
    passage.begin_at(Lsn(10));
    passage.pass(piece(100, 3));
    EXPECT_FALSE(passage.all_seen_by(sees_below(100)));
    EXPECT_EQ(passage.confirmable(), Lsn(10));
    passage.pass(piece(100, 3));
    passage.pass(piece(100, 3, 70));
    EXPECT_EQ(passage.remembered(), 1U);
    EXPECT_EQ(passage.confirmable(), Lsn(10));
    EXPECT_EQ(passage.position(), Lsn(70));
    passage.see(sees_below(101));
    EXPECT_EQ(passage.confirmable(), Lsn(70));
}

TEST_F(PassageTest, ForgetsATransactionThatWasSeenInItsMiddle) {
    passage.begin_at(Lsn(10));
    passage.pass(piece(100, 3));
    passage.see(sees_below(101));
    EXPECT_EQ(passage.confirmable(), Lsn(10)) << "its mark is still to come";
    passage.pass(piece(100, 3, 70));
    EXPECT_EQ(passage.remembered(), 0U);
    EXPECT_EQ(passage.confirmable(), Lsn(70));
}

TEST_F(PassageTest, EndsOnlyWithASnapshotOfTheLastRoundsOwn) {
    passage.begin_at(Lsn(10));
    passage.pass(chunk({{100, 20}}));
    passage.close();
    const auto last = sees_below(101, "100");
    // A later capture sees it; the round that has just been read did not.
    passage.see(sees_below(101));
    EXPECT_FALSE(passage.all_seen_by(last));
    EXPECT_TRUE(passage.all_seen_by(sees_below(101)));
}

TEST_F(PassageTest, PassesWhatTheQueueHoldsWhenItOpensOnceMore) {
    passage.begin_at(Lsn(10));
    passage.close();
    passage.pass(chunk({{100, 20}}));
    passage.pass(chunk({{101, 30}}));
    passage.open();
    EXPECT_FALSE(queue.try_pop());
    EXPECT_EQ(passage.position(), Lsn(30));
    EXPECT_FALSE(passage.all_seen_by(sees_below(101)));
    EXPECT_TRUE(passage.all_seen_by(sees_below(102)));
}

TEST_F(PassageTest, PassesWhatDeliveryHadInHand) {
    passage.close();
    Batcher batcher({2, 1 << 20, 1, std::chrono::milliseconds(1)}, queue,
                    [](const outbox::Event &) { return false; });
    passage.pass(chunk({{100, 20}, {101, 30}, {102, 40}, {103, 50}}));
    passage.pass(chunk({{104, 60}}));
    Batch batch;
    ASSERT_TRUE(batcher.fill(batch, Batcher::Clock::now()));
    ASSERT_EQ(batch.events.size(), 2U);
    passage.open(Lsn(10), batch, batcher);
    EXPECT_EQ(passage.position(), Lsn(60));
    EXPECT_EQ(passage.confirmable(), Lsn(10));
    EXPECT_EQ(passage.events(), 5U);
    EXPECT_FALSE(batcher.take_rest()) << "it must not come out once more";
    for (int xmax = 100; xmax < 105; ++xmax)
        EXPECT_FALSE(passage.all_seen_by(sees_below(xmax)));
    passage.see(sees_below(105, "102"));
    EXPECT_EQ(passage.confirmable(), Lsn(30));
}

TEST_F(PassageTest, PassesTheBeginningOfATransactionThatDeliveryHadInHand) {
    passage.close();
    Batcher batcher({2, 1 << 20, 1, std::chrono::milliseconds(1)}, queue,
                    [](const outbox::Event &) { return false; });
    passage.pass(piece(100, 2));
    Batch batch;
    ASSERT_TRUE(batcher.fill(batch, Batcher::Clock::now()));
    passage.open(Lsn(10), batch, batcher);
    EXPECT_FALSE(passage.all_seen_by(sees_below(100)));
    passage.pass(piece(100, 2, 70));
    EXPECT_EQ(passage.confirmable(), Lsn(10));
    passage.see(sees_below(101));
    EXPECT_EQ(passage.confirmable(), Lsn(70));
}

TEST_F(PassageTest, IsNeverFullWhileOpen) {
    ChunkQueue small{{1, 1}};
    Passage narrow(small);
    narrow.pass(chunk({{100, 20}}));
    EXPECT_FALSE(narrow.full());
    narrow.close();
    narrow.pass(chunk({{101, 30}}));
    EXPECT_TRUE(narrow.full());
    narrow.open();
    EXPECT_FALSE(narrow.full());
}

} // namespace
} // namespace pgat::delivery
