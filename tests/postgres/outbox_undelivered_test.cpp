#include "outbox/undelivered.hpp"

#include <gtest/gtest.h>

#include "outbox/capture.hpp"
#include "outbox/partitions.hpp"
#include "outbox/stream_row.hpp"
#include "outbox_database.hpp"

namespace pgat::outbox {
namespace {

using namespace std::chrono_literals;

const Home here{"7000000000000000001", 1};

class UndeliveredTest : public testing::Test {
  protected:
    Ownership take(int stream) {
        return take_stream(database.sql, StreamId(stream), here).ownership;
    }
    // Events that are so many days old; into their day's partition, where there is one, else the default.
    void write_in_the_past(int days, int count, int stream) {
        database.sql.exec("insert into async_triggers.events (stream_id, created_at, payload) "
                          "select $1::bigint, date_trunc('day', now(), 'UTC') - make_interval(days "
                          "=> $2::integer) + interval '1 hour', '{}' from "
                          "generate_series(1, $3::integer)",
                          {stream, days, count});
    }
    void make_past_day(int days) {
        database.sql.exec(fmt::format(
            "do $$ declare day date := (now() at time zone 'UTC')::date - {}; begin "
            "execute format('create table async_triggers.%I partition of async_triggers.events "
            "for values from (%L) to (%L)', 'events_' || to_char(day, 'YYYYMMDD'), "
            "day || ' 00:00+00', day + 1 || ' 00:00+00'); end $$",
            days));
    }
    void deliver_everything(const Ownership &ours) {
        Cursor cursor;
        const auto capture = take_capture(database.sql);
        cursor.advance(capture.snapshot, EventId(0));
        store_cursor(database.sql, ours, cursor, capture.wal);
    }
    // "1:5 2:8": the streams, each with its first event.
    std::string found(std::chrono::hours age) {
        std::string text;
        for (const auto &one : undelivered_longer_than(database.sql, age))
            text += fmt::format("{}{}:{}", text.empty() ? "" : " ", one.stream, one.first.id);
        return text;
    }

    Database database;
};

TEST_F(UndeliveredTest, EventsAreFoundOnceTheyAreAsOldAsAskedFor) {
    const auto ours = take(1);
    EXPECT_EQ(found(0h), "");
    make_past_day(5);
    write_in_the_past(2, 3, 1); // ids 1 to 3
    write_in_the_past(5, 2, 1); // 4 and 5
    EXPECT_EQ(found(24h), "1:1");
    EXPECT_EQ(found(72h), "1:4");
    EXPECT_EQ(found(24h * 6), "");
    deliver_everything(ours);
    EXPECT_EQ(found(0h), "");
}

TEST_F(UndeliveredTest, EventsOfStreamsThatNoDaemonRunsAreFoundToo) {
    const auto ours = take(1);
    // As a subscription makes it.
    database.sql.exec("insert into async_triggers.streams (id) values (2)");
    write_in_the_past(9, 2, 2);
    write_in_the_past(9, 2, 1);
    EXPECT_EQ(found(24h), "1:3 2:1");
    deliver_everything(ours);
    EXPECT_EQ(found(24h), "2:1");
}

TEST_F(UndeliveredTest, EventsThatTheCursorHoldsApartAreNotFound) {
    const auto ours = take(1);
    write_in_the_past(9, 3, 1);
    const auto xid = Xid(database.sql.exec("select min(xid::text)::xid8 from async_triggers.events")
                             .unsigned_integer(0, 0));
    Cursor cursor;
    cursor.deliver_part(xid, EventId(2));
    store_cursor(database.sql, ours, cursor, Lsn(1));
    EXPECT_EQ(found(24h), "1:3");
    EXPECT_TRUE(cursor.deliver_ahead(xid, EventId(3)));
    store_cursor(database.sql, ours, cursor, Lsn(1));
    EXPECT_EQ(found(24h), "");
}

TEST_F(UndeliveredTest, PartitionsSaySinceWhenTheyAreNeededAndWhatWasLostWithThem) {
    const auto ours = take(1);
    take(2);
    make_past_day(12);
    write_in_the_past(12, 2, 1);
    write_in_the_past(12, 1, 2);
    PartitionWork work;
    drop_partitions(database.sql, ours, {}, work);
    ASSERT_EQ(work.kept.size(), 1U);
    EXPECT_EQ(work.kept[0].streams, "1, 2");
    EXPECT_EQ(work.kept[0].since.value(),
              database.number("select (extract(epoch from min(created_at)) * 1000000)::bigint from "
                              "async_triggers.events"));
    EXPECT_TRUE(work.lost.empty());
    PartitionWork told_to;
    drop_partitions(database.sql, ours, {.drop_undelivered = true}, told_to);
    EXPECT_EQ(told_to.dropped.size(), 1U);
    ASSERT_EQ(told_to.lost.size(), 1U);
    EXPECT_EQ(told_to.lost[0].streams, "1, 2");
}

TEST_F(UndeliveredTest, TheDefaultPartitionsRowsOfAStreamThatNoDaemonRunsStay) {
    const auto ours = take(1);
    database.sql.exec("insert into async_triggers.streams (id) values (2)");
    write_in_the_past(20, 5, 1);
    write_in_the_past(20, 7, 2);
    deliver_everything(ours);
    PartitionWork work;
    clean_default_partition(database.sql, {}, 10, work);
    EXPECT_EQ(work.deleted_from_default, 5U);
    EXPECT_EQ(database.number("select count(*) from async_triggers.events where stream_id = 2"), 7);
    EXPECT_TRUE(work.lost.empty());
    clean_default_partition(database.sql, {.drop_undelivered = true}, 10, work);
    EXPECT_EQ(work.deleted_from_default, 12U);
    ASSERT_EQ(work.lost.size(), 1U);
    EXPECT_EQ(work.lost[0].partition, "events_default");
    EXPECT_EQ(work.lost[0].streams, "2");
}

// A stream that has nothing to deliver beside a busy one: the look reads what is above its floor, not all.
TEST_F(UndeliveredTest, AreLookedForByTheIndex) {
    for (const int days : {4, 5, 6, 7, 8})
        make_past_day(days);
    const auto ours = take(1);
    for (const int days : {8, 7, 6, 5, 4})
        write_in_the_past(days, 20'000, 1);
    take(2);
    database.sql.exec("update async_triggers.streams set cursor_floor = 100000 where id = 2");
    EXPECT_EQ(found(84h), "1:1");
    database.sql.exec("select pg_stat_force_next_flush()");
    const auto before = database.number("select sum(seq_scan) from pg_stat_user_tables where "
                                        "relname like 'events_2%'");
    EXPECT_EQ(found(84h), "1:1");
    database.sql.exec("select pg_stat_force_next_flush()");
    EXPECT_EQ(database.number("select sum(seq_scan) from pg_stat_user_tables where "
                              "relname like 'events_2%'"),
              before);
}

} // namespace
} // namespace pgat::outbox
