#include "outbox/partitions.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "outbox/capture.hpp"
#include "outbox_database.hpp"

namespace pgat::outbox {
namespace {

const Home here{"7000000000000000001", 1};
using Names = std::vector<std::string>;

// "events_20261122", so many days from today in UTC.
std::string day(Database &database, int offset) {
    return std::string(
        database.sql
            .exec("select 'events_' || to_char((now() at time zone 'UTC')::date + $1::integer, "
                  "'YYYYMMDD')",
                  {offset})
            .text(0, 0));
}

// A partition of the past with `rows` events of a stream, as it was made in its time.
std::string past_day(Database &database, int days_ago, int rows, int stream = 1) {
    const auto name = day(database, -days_ago);
    const auto bound = [&](int offset) {
        return fmt::format("{}-{}-{} 00:00:00+00", day(database, offset).substr(7, 4),
                           day(database, offset).substr(11, 2),
                           day(database, offset).substr(13, 2));
    };
    database.sql.exec(fmt::format("create table async_triggers.{} partition of "
                                  "async_triggers.events for values from ('{}') to ('{}')",
                                  name, bound(-days_ago), bound(-days_ago + 1)));
    database.sql.exec("insert into async_triggers.events (stream_id, created_at, payload) "
                      "select $1::bigint, $2::timestamptz + interval '1 hour', '{}' "
                      "from generate_series(1, $3::integer)",
                      {stream, bound(-days_ago), rows});
    return name;
}

bool exists(Database &database, const std::string &partition) {
    return database.number(
               fmt::format("select count(*) from pg_inherits join pg_class on oid = inhrelid "
                           "where relname = '{}'",
                           partition)) == 1;
}

void deliver_everything(Database &database, const Ownership &ours) {
    Cursor cursor;
    const auto capture = take_capture(database.sql);
    cursor.advance(capture.snapshot, EventId(0));
    store_cursor(database.sql, ours, cursor, capture.wal);
}

TEST(Partitions, AreMadeForTodayAndTheDaysAhead) {
    Database database;
    database.sql.exec("set timezone = 'Pacific/Kiritimati'");
    PartitionWork work;
    create_partitions(database.sql, {}, work);
    EXPECT_EQ(work.created,
              (Names{day(database, 0), day(database, 1), day(database, 2), day(database, 3)}));
    EXPECT_TRUE(work.again.empty());
    database.write(10);
    EXPECT_EQ(database.number("select count(*) from only async_triggers." + day(database, 0)), 10);
    EXPECT_EQ(database.number("select count(*) from only async_triggers.events_default"), 0);
    // Bounded by days in UTC, with the primary key of all.
    database.sql.exec("set timezone = 'UTC'");
    const auto today = day(database, 0).substr(7);
    const auto bounds = std::string(
        database.sql
            .exec("select pg_get_expr(relpartbound, oid) from pg_class where relname = $1",
                  {day(database, 0)})
            .text(0, 0));
    EXPECT_NE(bounds.find(fmt::format("FROM ('{}-{}-{} 00:00:00+00')", today.substr(0, 4),
                                      today.substr(4, 2), today.substr(6, 2))),
              std::string::npos)
        << bounds;
    EXPECT_EQ(database.number(
                  "select count(*) from pg_index where indisvalid and indisprimary and indrelid = "
                  "'async_triggers." +
                  day(database, 3) + "'::regclass"),
              1);
    PartitionWork second;
    create_partitions(database.sql, {}, second);
    EXPECT_FALSE(second.anything_done());
}

TEST(Partitions, LeaveADayInTheDefaultPartitionThatHasRowsThere) {
    Database database;
    database.write(3);
    PartitionWork work;
    create_partitions(database.sql, {.days_ahead = 1}, work);
    EXPECT_EQ(work.left_in_default, Names{day(database, 0)});
    EXPECT_EQ(work.created, Names{day(database, 1)});
    EXPECT_EQ(database.number("select count(*) from async_triggers.events"), 3);
    EXPECT_EQ(
        database.number("select count(*) from pg_class where relname = '" + day(database, 0) + "'"),
        0)
        << "a table was left behind";
}

TEST(Partitions, SayWhatStandsInTheirWay) {
    Database database;
    database.sql.exec("create table async_triggers." + day(database, 1) + " (n integer)");
    PartitionWork work;
    create_partitions(database.sql, {.days_ahead = 2}, work);
    EXPECT_EQ(work.blocked, Names{day(database, 1)});
    EXPECT_EQ(work.created, (Names{day(database, 0), day(database, 2)}));
}

TEST(Partitions, AreMadeByManyDaemonsAtOnce) {
    Database database;
    std::vector<std::thread> daemons;
    std::atomic<std::size_t> created = 0;
    for (int daemon = 0; daemon < 4; ++daemon)
        daemons.emplace_back([&] {
            try {
                auto sql = database.connect();
                PartitionWork work;
                do {
                    work.again.clear();
                    create_partitions(sql, {.days_ahead = 10}, work);
                } while (!work.again.empty());
                created += work.created.size();
                EXPECT_TRUE(work.blocked.empty());
            } catch (const std::exception &error) {
                ADD_FAILURE() << error.what();
            }
        });
    for (auto &daemon : daemons)
        daemon.join();
    EXPECT_EQ(created, 11U);
}

TEST(Partitions, NeverMakeWritersWaitForALongReader) {
    Database database;
    const auto ours = take_stream(database.sql, StreamId(1), here).ownership;
    const auto old = past_day(database, 9, 5);
    deliver_everything(database, ours);
    auto reader = database.connect();
    reader.exec("begin; select count(*) from async_triggers.events");
    std::atomic<bool> stop = false;
    std::atomic<int> longest = 0;
    std::thread writer([&] {
        auto sql = database.connect();
        while (!stop) {
            const auto begun = std::chrono::steady_clock::now();
            sql.exec("insert into async_triggers.events (stream_id, payload) values (2, '{}')");
            const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
                std::chrono::steady_clock::now() - begun);
            longest = std::max(longest.load(), static_cast<int>(took.count()));
        }
    });
    PartitionWork work;
    create_partitions(database.sql,
                      {.days_ahead = 2, .lock_timeout = std::chrono::milliseconds(50)}, work);
    drop_partitions(database.sql, ours, {.lock_timeout = std::chrono::milliseconds(50)}, work);
    EXPECT_EQ(work.again.size(), 4U) << "three to create and one to drop";
    EXPECT_FALSE(work.anything_done());
    reader.exec("commit");
    stop = true;
    writer.join();
    EXPECT_LT(longest, 2000);
    PartitionWork later;
    create_partitions(database.sql, {.days_ahead = 2}, later);
    drop_partitions(database.sql, ours, {}, later);
    EXPECT_EQ(later.created.size(), 2U) << "today stays in the default partition";
    EXPECT_EQ(later.dropped, Names{old});
}

TEST(Partitions, AreDroppedOncePastRetentionAndDelivered) {
    Database database;
    const auto ours = take_stream(database.sql, StreamId(1), here).ownership;
    const auto eight = past_day(database, 8, 5);
    const auto seven = past_day(database, 7, 5);
    PartitionWork before;
    drop_partitions(database.sql, ours, {}, before);
    ASSERT_EQ(before.kept.size(), 1U);
    EXPECT_EQ(before.kept[0].partition, eight);
    EXPECT_EQ(before.kept[0].streams, "1");
    EXPECT_TRUE(before.dropped.empty());
    deliver_everything(database, ours);
    PartitionWork after;
    drop_partitions(database.sql, ours, {}, after);
    EXPECT_EQ(after.dropped, Names{eight});
    EXPECT_TRUE(exists(database, seven));
    EXPECT_FALSE(exists(database, eight));
}

TEST(Partitions, StayWhileAnotherStreamNeedsThem) {
    Database database;
    const auto ours = take_stream(database.sql, StreamId(1), here).ownership;
    const auto theirs = take_stream(database.sql, StreamId(2), here).ownership;
    const auto old = past_day(database, 9, 5, 2);
    deliver_everything(database, ours);
    PartitionWork work;
    drop_partitions(database.sql, ours, {}, work);
    ASSERT_EQ(work.kept.size(), 1U);
    EXPECT_EQ(work.kept[0].streams, "2");
    deliver_everything(database, theirs);
    drop_partitions(database.sql, ours, {}, work);
    EXPECT_EQ(work.dropped, Names{old});
}

// An application may write for a stream whose daemon was never started.
TEST(Partitions, StayForAStreamThatHasNoRowYet) {
    Database database;
    const auto ours = take_stream(database.sql, StreamId(1), here).ownership;
    const auto old = past_day(database, 9, 5, 2);
    database.sql.exec("insert into async_triggers.events (stream_id, created_at, payload) "
                      "values (2, now() - interval '20 days', '{}')");
    deliver_everything(database, ours);
    PartitionWork work;
    drop_partitions(database.sql, ours, {}, work);
    ASSERT_EQ(work.kept.size(), 1U);
    EXPECT_EQ(work.kept[0].streams, "2 (without a row)");
    clean_default_partition(database.sql, {}, 1, work);
    EXPECT_EQ(work.deleted_from_default, 0U);

    const auto theirs = take_stream(database.sql, StreamId(2), here).ownership;
    drop_partitions(database.sql, ours, {}, work);
    EXPECT_TRUE(work.dropped.empty()) << "it has a row, and has delivered nothing";
    deliver_everything(database, theirs);
    drop_partitions(database.sql, ours, {}, work);
    EXPECT_EQ(work.dropped, Names{old});
    clean_default_partition(database.sql, {}, 1, work);
    EXPECT_EQ(work.deleted_from_default, 1U);
}

TEST(Partitions, GoUndeliveredOnlyWhenAskedTo) {
    Database database;
    const auto ours = take_stream(database.sql, StreamId(1), here).ownership;
    const auto old = past_day(database, 9, 5);
    PartitionWork work;
    drop_partitions(database.sql, ours, {.drop_undelivered = true}, work);
    EXPECT_EQ(work.dropped, Names{old});
}

TEST(Partitions, StayWhileATransactionThatWroteIntoThemIsOpen) {
    Database database;
    const auto ours = take_stream(database.sql, StreamId(1), here).ownership;
    const auto old = past_day(database, 9, 5);
    deliver_everything(database, ours);
    auto writer = database.connect();
    writer.exec("begin; insert into async_triggers.events (stream_id, created_at, payload) "
                "select 1, max(created_at), '{}' from only async_triggers." +
                old);
    writer.exec("prepare transaction 'late'");
    PartitionWork work;
    drop_partitions(database.sql, ours, {}, work);
    EXPECT_EQ(work.again, Names{"drop " + old});
    writer.exec("commit prepared 'late'");
    PartitionWork after;
    drop_partitions(database.sql, ours, {}, after);
    ASSERT_EQ(after.kept.size(), 1U) << "its event is not delivered";
}

TEST(Partitions, AreNotDroppedByADaemonThatLostItsStream) {
    Database database;
    const auto ours = take_stream(database.sql, StreamId(1), here).ownership;
    const auto old = past_day(database, 9, 5);
    deliver_everything(database, ours);
    take_stream(database.sql, StreamId(1), here);
    PartitionWork work;
    try {
        drop_partitions(database.sql, ours, {}, work);
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(error.remedy(), Remedy::recover);
    }
    EXPECT_TRUE(exists(database, old));
}

// The SQL that asks whether a row holds an event, against Cursor::holds.
TEST(Partitions, AskTheRowWhatTheCursorWouldSay) {
    Database database;
    const auto ours = take_stream(database.sql, StreamId(1), here).ownership;
    const auto old = past_day(database, 9, 4);
    const auto rows =
        database.sql.exec(fmt::format("select xid, id, (extract(epoch from created_at) * "
                                      "1000000)::bigint from only async_triggers.{} "
                                      "order by id",
                                      old));
    const Xid xid(rows.unsigned_integer(0, 0));
    const auto at = [&](int row) {
        return Position{EventId(rows.integer(row, 1)), Timestamp(rows.integer(row, 2))};
    };
    const auto before = Snapshot::from_server(fmt::format("{0}:{0}:", xid));
    const auto after = Snapshot::from_server(fmt::format("{0}:{0}:", xid.value() + 1));
    std::vector<Cursor> holding;
    std::vector<Cursor> lacking;
    lacking.emplace_back();
    lacking.emplace_back().advance(before, EventId(0));
    holding.emplace_back().advance(after, EventId(0));
    holding.emplace_back().commit(xid);
    for (const int last : {2, 3}) {
        auto &cursors = last == 3 ? holding : lacking;
        auto &round = cursors.emplace_back();
        round.begin_round(after);
        round.round_delivered(at(last));
        cursors.emplace_back().deliver_part(xid, at(last).id);
        auto &ahead = cursors.emplace_back();
        for (int row = 0; row <= last; ++row)
            EXPECT_TRUE(ahead.deliver_ahead(xid, at(row).id));
        auto &mixed = cursors.emplace_back();
        mixed.begin_round(after);
        mixed.round_delivered(at(1));
        EXPECT_TRUE(mixed.deliver_ahead(xid, at(last).id));
        mixed.deliver_part(xid, at(0).id);
        if (last == 3) {
            EXPECT_TRUE(mixed.deliver_ahead(xid, at(2).id));
        }
    }
    auto &blind = lacking.emplace_back();
    blind.begin_round(before);
    blind.round_delivered(at(3));
    for (const auto &cursor : lacking) {
        store_cursor(database.sql, ours, cursor, Lsn(1));
        PartitionWork work;
        drop_partitions(database.sql, ours, {}, work);
        ASSERT_EQ(work.kept.size(), 1U) << &cursor - lacking.data();
    }
    for (const auto &cursor : holding) {
        store_cursor(database.sql, ours, cursor, Lsn(1));
        // Kept for the next one: the drop is undone.
        PartitionWork work;
        auto guard = database.connect();
        guard.exec("begin; lock table async_triggers.events in access share mode");
        drop_partitions(database.sql, ours, {.lock_timeout = std::chrono::milliseconds(20)}, work);
        ASSERT_TRUE(work.kept.empty()) << &cursor - holding.data();
        ASSERT_EQ(work.again.size(), 1U);
    }
}

TEST(Partitions, TheDefaultOneLosesWhatIsDeliveredAndPastRetentionInSteps) {
    Database database;
    const auto ours = take_stream(database.sql, StreamId(1), here).ownership;
    database.sql.exec("insert into async_triggers.events (stream_id, created_at, payload) "
                      "select 1, now() - interval '20 days', '{}' from generate_series(1, 2500)");
    database.write(10);
    PartitionWork work;
    EXPECT_FALSE(clean_default_partition(database.sql, {}, 10, work));
    EXPECT_EQ(work.deleted_from_default, 0U) << "not delivered";
    deliver_everything(database, ours);
    database.sql.exec("insert into async_triggers.events (stream_id, created_at, payload) "
                      "values (1, now() - interval '20 days', '\"late\"')");
    EXPECT_TRUE(clean_default_partition(database.sql, {}, 2, work));
    EXPECT_EQ(work.deleted_from_default, 2000U);
    EXPECT_FALSE(clean_default_partition(database.sql, {}, 2, work));
    EXPECT_EQ(work.deleted_from_default, 2500U);
    EXPECT_EQ(database.number("select count(*) from async_triggers.events"), 11);
}

} // namespace
} // namespace pgat::outbox
