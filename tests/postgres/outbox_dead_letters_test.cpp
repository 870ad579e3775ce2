#include "outbox/dead_letters.hpp"

#include <gtest/gtest.h>

#include "outbox_database.hpp"

namespace pgat::outbox {
namespace {

TEST(DeadLetters, KeepEventsAsTheyWereWithTheReason) {
    Database database;
    database.sql.exec("set datestyle = 'SQL, DMY'; set timezone = 'Asia/Kathmandu'");
    const std::string payload = R"({"n": 1.50, "t": "a\"b\\c, {d}"})";
    const std::string reason = "status 400: \"bad\" {request}, \\ 'quoted', NULL\n";
    const Timestamp time(1'795'334'400'123'457);
    const std::vector<DeadLetter> letters = {
        {{EventId(1), time}, payload, R"({"m": 1})", reason, 3},
        {{EventId(2), time}, "null", "", "NULL", 1},
        {{EventId(2), time}, "null", "", "again in one batch", 1},
    };
    store_dead_letters(database.sql, StreamId(7), letters);
    const auto rows =
        database.sql.exec("select event_id, stream_id, payload, metadata, reason, attempts, "
                          "(extract(epoch from event_created_at) * 1000000)::bigint "
                          "from async_triggers.dead_letters order by event_id");
    ASSERT_EQ(rows.rows(), 2);
    EXPECT_EQ(rows.integer(0, 0), 1);
    EXPECT_EQ(rows.integer(0, 1), 7);
    EXPECT_EQ(rows.text(0, 2), payload);
    EXPECT_EQ(rows.text(0, 3), R"({"m": 1})");
    EXPECT_EQ(rows.text(0, 4), reason);
    EXPECT_EQ(rows.integer(0, 5), 3);
    EXPECT_EQ(rows.integer(0, 6), time.value());
    EXPECT_TRUE(rows.null(1, 3));
    EXPECT_FALSE(rows.null(1, 4));
}

TEST(DeadLetters, TakeTheNewestReasonOfAnEventThatComesAgain) {
    Database database;
    const std::vector<DeadLetter> first = {{{EventId(1), Timestamp(5)}, "{}", "", "first", 1}};
    const std::vector<DeadLetter> second = {{{EventId(1), Timestamp(5)}, "{}", "", "second", 4}};
    store_dead_letters(database.sql, StreamId(7), first);
    store_dead_letters(database.sql, StreamId(7), second);
    store_dead_letters(database.sql, StreamId(7), {});
    const auto rows = database.sql.exec("select reason, attempts from async_triggers.dead_letters");
    ASSERT_EQ(rows.rows(), 1);
    EXPECT_EQ(rows.text(0, 0), "second");
    EXPECT_EQ(rows.integer(0, 1), 4);
}

} // namespace
} // namespace pgat::outbox
