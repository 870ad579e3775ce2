#include <thread>

#include <gtest/gtest.h>

#include "delivery/batcher.hpp"
#include "delivery/dispatcher.hpp"

namespace pgat::delivery {
namespace {

using namespace std::chrono_literals;
using Clock = Batcher::Clock;

// Chunks as the stream makes them: numbered events, transactions that end with a mark.
class ChunkMaker {
  public:
    ChunkMaker &event(std::size_t bytes = 10) {
        const auto id = EventId(++last_id_);
        chunk_->events.push_back({Xid(xid_),
                                  {id, Timestamp(id.value())},
                                  Lsn(),
                                  chunk_->arena.copy(std::string(bytes, 'x')),
                                  {}});
        chunk_->bytes += bytes;
        return *this;
    }
    ChunkMaker &commit() {
        chunk_->marks.push_back({chunk_->events.size(), Lsn(++lsn_), Xid(xid_++)});
        return *this;
    }
    ChunkMaker &progress() {
        chunk_->marks.push_back({chunk_->events.size(), Lsn(++lsn_), Xid()});
        return *this;
    }
    void push(ChunkQueue &queue) {
        const auto count = chunk_->events.size() + chunk_->marks.size();
        const auto bytes = chunk_->bytes;
        queue.push(std::exchange(chunk_, std::make_shared<outbox::Chunk>()), count, bytes);
    }

  private:
    std::shared_ptr<outbox::Chunk> chunk_ = std::make_shared<outbox::Chunk>();
    std::int64_t last_id_ = 0;
    std::uint64_t xid_ = 100;
    std::uint64_t lsn_ = 1000;
};

bool nothing_held(const outbox::Event &) { return false; }

auto soon() { return Clock::now() + 10s; }
// In the past: whoever would wait does not.
auto now() { return Clock::now(); }

struct BatcherTest : testing::Test {
    ChunkQueue queue{{100000, 1 << 30}};
    ChunkMaker make;
    Batch batch;
};

TEST_F(BatcherTest, SendsALoneEventAtOnceWhenTheSinkIsFree) {
    Batcher batcher({1000, 1 << 20, 1, 60s}, queue, nothing_held);
    make.event().commit().push(queue);
    ASSERT_TRUE(batcher.fill(batch, soon()));
    EXPECT_EQ(batch.events.size(), 1U);
    ASSERT_EQ(batch.marks.size(), 1U);
    EXPECT_EQ(batch.marks[0].events_before, 1U);
    EXPECT_EQ(batch.marks[0].xid, Xid(100));
}

TEST_F(BatcherTest, TakesAllThatIsWaitingUpToMaxSizeAndKeepsTheRest) {
    Batcher batcher({5, 1 << 20, 1, 60s}, queue, nothing_held);
    make.event().event().event().commit().push(queue);
    make.event().event().event().commit().push(queue);
    ASSERT_TRUE(batcher.fill(batch, soon()));
    EXPECT_EQ(batch.events.size(), 5U);
    ASSERT_EQ(batch.marks.size(), 1U);
    batch.clear();
    ASSERT_TRUE(batcher.fill(batch, soon()));
    ASSERT_EQ(batch.events.size(), 1U);
    EXPECT_EQ(batch.events[0]->at.id, EventId(6));
    ASSERT_EQ(batch.marks.size(), 1U);
    EXPECT_EQ(batch.marks[0].events_before, 1U);
    EXPECT_EQ(batch.marks[0].xid, Xid(101));
}

TEST_F(BatcherTest, ClosesByBytesBeforeTheEventThatWouldExceedThem) {
    Batcher batcher({1000, 100, 1, 60s}, queue, nothing_held);
    make.event(60).event(60).commit().push(queue);
    ASSERT_TRUE(batcher.fill(batch, soon()));
    EXPECT_EQ(batch.events.size(), 1U);
    EXPECT_TRUE(batch.marks.empty());
}

TEST_F(BatcherTest, LetsAnEventLargerThanABatchPassAlone) {
    Batcher batcher({1000, 100, 1, 60s}, queue, nothing_held);
    make.event(1000).event(10).commit().push(queue);
    ASSERT_TRUE(batcher.fill(batch, soon()));
    ASSERT_EQ(batch.events.size(), 1U);
    EXPECT_EQ(batch.bytes, 1000U);
    batch.clear();
    ASSERT_TRUE(batcher.fill(batch, soon()));
    EXPECT_EQ(batch.events.size(), 1U);
}

TEST_F(BatcherTest, WaitsForMinSize) {
    Batcher batcher({1000, 1 << 20, 3, 60s}, queue, nothing_held);
    make.event().commit().push(queue);
    EXPECT_FALSE(batcher.fill(batch, now()));
    EXPECT_EQ(batch.events.size(), 1U);
    make.event().event().commit().push(queue);
    ASSERT_TRUE(batcher.fill(batch, now()));
    EXPECT_EQ(batch.events.size(), 3U);
}

TEST_F(BatcherTest, ClosesWhenFillTimePassesThoughNotFull) {
    Batcher batcher({1000, 1 << 20, 100, 20ms}, queue, nothing_held);
    make.event().commit().push(queue);
    const auto before = Clock::now();
    ASSERT_TRUE(batcher.fill(batch, soon()));
    EXPECT_GE(Clock::now() - before, 20ms);
    EXPECT_EQ(batch.events.size(), 1U);
}

TEST_F(BatcherTest, LeavesOutWhatIsDeliveredAlreadyButKeepsItsMarks) {
    Batcher batcher({1000, 1 << 20, 1, 60s}, queue,
                    [](const outbox::Event &event) { return event.xid == Xid(100); });
    make.event().event().commit().event().commit().push(queue);
    ASSERT_TRUE(batcher.fill(batch, soon()));
    ASSERT_EQ(batch.events.size(), 1U);
    EXPECT_EQ(batch.events[0]->at.id, EventId(3));
    ASSERT_EQ(batch.marks.size(), 2U);
    EXPECT_EQ(batch.marks[0].events_before, 0U);
    EXPECT_EQ(batch.marks[1].events_before, 1U);
}

TEST_F(BatcherTest, HandsOnProgressWithoutEventsAtOnceAndOnlyTheLastOfIt) {
    Batcher batcher({1000, 1 << 20, 50, 60s}, queue, nothing_held);
    make.progress().progress().push(queue);
    ASSERT_TRUE(batcher.fill(batch, soon()));
    EXPECT_TRUE(batch.events.empty());
    ASSERT_EQ(batch.marks.size(), 1U);
    EXPECT_EQ(batch.marks[0].position, Lsn(1002));
}

TEST_F(BatcherTest, StaysBoundedWhileAllEventsAreHeldAlready) {
    Batcher batcher({10, 1 << 20, 1, 60s}, queue, [](const outbox::Event &) { return true; });
    for (int i = 0; i < 1000; ++i)
        make.event().commit().push(queue);
    ASSERT_TRUE(batcher.fill(batch, soon()));
    EXPECT_LE(batch.marks.size(), 50U);
}

TEST_F(BatcherTest, MakesAFullBatchBehindWhatTheLastOneStillHolds) {
    Batcher batcher({3, 1 << 20, 2, 60s}, queue, nothing_held);
    for (int i = 0; i < 7; ++i)
        make.event();
    make.commit().push(queue);
    ASSERT_TRUE(batcher.fill(batch, soon()));
    batch.keep_unsettled({1, {}, false, std::nullopt});
    ASSERT_TRUE(batcher.fill(batch, soon()));
    EXPECT_EQ(batch.events.size(), 5U);
    EXPECT_EQ(batch.events[4]->at.id, EventId(6));
    batch.keep_unsettled({0, {2, 3, 4}, false, std::nullopt});
    // What is held counts neither for min_size nor as something new.
    EXPECT_FALSE(batcher.fill(batch, now()));
    EXPECT_EQ(batch.events.size(), 3U);
    make.progress().push(queue);
    make.event().commit().push(queue);
    ASSERT_TRUE(batcher.fill(batch, soon()));
    EXPECT_EQ(batch.events.size(), 4U);
    EXPECT_EQ(batch.marks.size(), 3U);
}

TEST_F(BatcherTest, KeepsItsChunksAlive) {
    Batcher batcher({1000, 1 << 20, 1, 60s}, queue, nothing_held);
    make.event(5).commit().push(queue);
    make.event(6).commit().push(queue);
    ASSERT_TRUE(batcher.fill(batch, soon()));
    EXPECT_EQ(batch.chunks.size(), 2U);
    EXPECT_EQ(batch.events[1]->payload, "xxxxxx");
}

TEST_F(BatcherTest, DrainsAClosedQueueAndSaysWhenItIsExhausted) {
    Batcher batcher({2, 1 << 20, 1, 60s}, queue, nothing_held);
    make.event().event().event().push(queue);
    queue.close();
    ASSERT_TRUE(batcher.fill(batch, soon()));
    batch.clear();
    ASSERT_TRUE(batcher.fill(batch, soon()));
    EXPECT_EQ(batch.events.size(), 1U);
    batch.clear();
    EXPECT_FALSE(batcher.fill(batch, soon()));
    EXPECT_TRUE(batcher.exhausted());
}

TEST_F(BatcherTest, IsWokenByAnEventThatComesWhileItWaits) {
    Batcher batcher({1000, 1 << 20, 1, 60s}, queue, nothing_held);
    std::thread writer([&] { make.event().commit().push(queue); });
    EXPECT_TRUE(batcher.fill(batch, soon()));
    writer.join();
    EXPECT_EQ(batch.events.size(), 1U);
}

} // namespace
} // namespace pgat::delivery
