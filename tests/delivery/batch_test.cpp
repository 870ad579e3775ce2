#include "delivery/batch.hpp"

#include <gtest/gtest.h>

#include "delivery/dispatcher.hpp"

namespace pgat::delivery {
namespace {

struct BatchTest : testing::Test {
    std::shared_ptr<outbox::Chunk> chunk = std::make_shared<outbox::Chunk>();
    Batch batch;

    void event(std::uint64_t xid, std::int64_t id) {
        chunk->events.reserve(100);
        chunk->events.push_back({Xid(xid),
                                 {EventId(id), Timestamp(id)},
                                 Lsn(),
                                 chunk->arena.copy("{\"n\": " + std::to_string(id) + "}"),
                                 id % 2 == 0 ? chunk->arena.copy("{}") : std::string_view()});
        batch.events.push_back(&chunk->events.back());
        if (batch.chunks.empty()) batch.chunks.push_back(chunk);
    }
    void mark(std::uint64_t xid, std::uint64_t position) {
        batch.marks.push_back({batch.events.size(), Lsn(position), Xid(xid)});
    }
    void keep(std::size_t prefix, std::vector<std::size_t> delivered = {}) {
        batch.keep_unsettled({prefix, std::move(delivered), false, std::nullopt});
    }
    std::vector<std::int64_t> ids() const {
        std::vector<std::int64_t> ids;
        for (const auto *event : batch.events)
            ids.push_back(event->at.id.value());
        return ids;
    }
};

TEST_F(BatchTest, IsEmptyOnceAllOfItIsSettled) {
    event(10, 1);
    mark(10, 200);
    EXPECT_TRUE(batch.fresh());
    keep(1);
    EXPECT_TRUE(batch.empty());
    EXPECT_FALSE(batch.fresh());
}

TEST_F(BatchTest, KeepsWhatIsNotSettledInMemoryOfItsOwn) {
    for (std::int64_t id = 1; id <= 6; ++id)
        event(10, id);
    keep(1, {2, 4});
    EXPECT_EQ(ids(), (std::vector<std::int64_t>{2, 4, 6}));
    EXPECT_EQ(chunk.use_count(), 1);
    chunk.reset();
    EXPECT_EQ(batch.events[0]->payload, "{\"n\": 2}");
    EXPECT_EQ(batch.events[2]->payload, "{\"n\": 6}");
    EXPECT_EQ(batch.events[2]->metadata, "{}");
    EXPECT_EQ(batch.held_bytes, 3 * 10U);
    EXPECT_EQ(batch.fresh_events(), 0U);
    EXPECT_FALSE(batch.fresh());
}

TEST_F(BatchTest, StandsInFrontOfWhatComesNext) {
    event(10, 1);
    event(10, 2);
    keep(0, {1});
    const auto *first = batch.events[0];
    event(11, 3);
    event(11, 4);
    EXPECT_EQ(batch.fresh_events(), 2U);
    EXPECT_TRUE(batch.fresh());
    keep(0, {1});
    EXPECT_EQ(ids(), (std::vector<std::int64_t>{1, 4}));
    EXPECT_EQ(batch.events[0], first);
}

TEST_F(BatchTest, KeepsAMarkOnlyWhereSomethingBeforeItIsLeft) {
    event(10, 1);
    mark(10, 200);
    event(11, 2);
    mark(11, 300);
    event(12, 3);
    mark(12, 400);
    mark(0, 450);
    event(13, 4);
    event(13, 5);
    mark(13, 500);
    keep(1, {2, 3});
    // Of 12 only the position is of use: it is reached with 11.
    ASSERT_EQ(batch.marks.size(), 2U);
    EXPECT_EQ(batch.marks[0].events_before, 1U);
    EXPECT_EQ(batch.marks[0].xid, Xid(11));
    EXPECT_EQ(batch.marks[0].position, Lsn(450));
    EXPECT_EQ(batch.marks[1].events_before, 2U);
    EXPECT_EQ(batch.marks[1].xid, Xid(13));
    EXPECT_EQ(batch.marks[1].position, Lsn(500));
    EXPECT_EQ(batch.held_marks, 2U);
    mark(0, 600);
    EXPECT_TRUE(batch.fresh());
}

TEST_F(BatchTest, LeavesATransactionWithoutAMarkOpen) {
    event(10, 1);
    mark(10, 200);
    event(11, 2);
    keep(0, {1});
    ASSERT_EQ(batch.marks.size(), 1U);
    mark(11, 300);
    keep(0);
    ASSERT_EQ(batch.marks.size(), 1U);
    EXPECT_EQ(batch.marks[0].xid, Xid(10));
    EXPECT_EQ(batch.marks[0].position, Lsn(300));
}

TEST(Settled, KnowsWhichStretchesAreSettledWhole) {
    const Settled settled{3, {4, 5, 8}, false, std::nullopt};
    EXPECT_TRUE(settled.all_between(0, 3));
    EXPECT_TRUE(settled.all_between(4, 6));
    EXPECT_FALSE(settled.all_between(0, 4));
    EXPECT_FALSE(settled.all_between(3, 6));
    EXPECT_FALSE(settled.all_between(4, 7));
    EXPECT_TRUE(settled.all_between(7, 7));
}

} // namespace
} // namespace pgat::delivery
