#include "outbox/replay_reader.hpp"

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "outbox/capture.hpp"
#include "outbox/floors.hpp"
#include "outbox/page_ahead.hpp"
#include "outbox_database.hpp"
#include "postgres/array.hpp"

namespace pgat::outbox {
namespace {

constexpr StreamId stream(1);

Cursor in_round(Cursor cursor, postgres::Connection &sql) {
    cursor.begin_round(take_capture(sql).snapshot);
    return cursor;
}

// Everything that a round has to deliver, and the sizes of its pages.
struct Read {
    Chunk all;
    std::vector<std::size_t> pages;
    std::size_t largest_page = 0;
};

void read(ReplayReader &reader, postgres::Connection &sql, Read &into) {
    for (;;) {
        const auto events = into.all.events.size();
        const auto bytes = into.all.bytes;
        if (!reader.read_page(sql, into.all)) return;
        into.pages.push_back(into.all.events.size() - events);
        into.largest_page = std::max(into.largest_page, into.all.bytes - bytes);
    }
}

Read read_round(const Cursor &cursor, postgres::Connection &sql, PageLimits limits = {}) {
    ReplayReader reader(stream, cursor, limits);
    Read done;
    read(reader, sql, done);
    EXPECT_TRUE(reader.done());
    return done;
}

std::vector<std::int64_t> ids(const Chunk &chunk) {
    std::vector<std::int64_t> ids;
    for (const Event &event : chunk.events)
        ids.push_back(event.at.id.value());
    return ids;
}

// A partition a day, filled without a sequence: ids in steps, one stream in three.
void fill_days(Database &database, int days, int rows_a_day) {
    for (int day = 1; day <= days; ++day)
        database.sql.exec(fmt::format(
            "create table async_triggers.events_2025010{0} partition of async_triggers.events "
            "for values from ('2025-01-0{0} 00:00:00+00') to ('2025-01-0{0} 23:00:00+00'); "
            "insert into async_triggers.events (stream_id, created_at, payload) "
            "select 1 + n % 3, '2025-01-0{0} 10:00:00+00'::timestamptz + n * interval '1 "
            "microsecond', "
            "jsonb_build_object('n', n) from generate_series(1, {1}) n",
            day, rows_a_day));
}

TEST(ReplayReader, ReadsWhatTheRoundSeesAndTheCursorDoesNotHold) {
    Database database;
    auto &sql = database.sql;
    database.write(3); // 1 to 3
    Cursor cursor;
    Floors floors;
    const auto first = take_capture(sql);
    floors.add(first);
    cursor.advance(first.snapshot, floors.floor_for(first.snapshot));
    database.write(2);    // 4, 5
    database.write(2, 2); // 6, 7 of another stream
    auto open = database.connect();
    open.exec(
        "begin; insert into async_triggers.events (stream_id, payload) values (1, '{}')"); // 8
    database.write(1); // 9, delivered from the stream
    cursor.commit(
        Xid(sql.exec("select xid from async_triggers.events where id = 9").unsigned_integer(0, 0)));
    database.write(1); // 10
    cursor = in_round(cursor, sql);
    database.write(1);   // 11, after R
    open.exec("commit"); // 8, after R
    EXPECT_EQ(ids(read_round(cursor, sql).all), (std::vector<std::int64_t>{4, 5, 10}));
    cursor.end_round(EventId(0));
    EXPECT_EQ(ids(read_round(in_round(cursor, sql), sql).all), (std::vector<std::int64_t>{8, 11}));
}

TEST(ReplayReader, BringsEveryColumnAsItWasWritten) {
    support::Cluster::Options options;
    options.encoding = "LATIN1";
    support::Cluster latin(options);
    for (support::Cluster *cluster : {&support::Cluster::shared(), &latin}) {
        Database database(*cluster);
        auto &sql = database.sql;
        sql.exec("set timezone = 'Asia/Kathmandu'");
        const std::vector<std::string> payloads = {R"({"n": 12345678901234567890.123456789})",
                                                   R"({"t": "a\nb\"c\\d"})",
                                                   "{\"t\": \"gr\u00fc\u00dfe\"}",
                                                   "[]",
                                                   "\"text\"",
                                                   "null",
                                                   R"({"deep": [[[{"a": null}]]]})"};
        for (const auto &payload : payloads)
            sql.exec("insert into async_triggers.events (stream_id, payload, metadata) "
                     "values (1, $1::jsonb, case when $2 then '{\"m\": 1}'::jsonb end)",
                     {payload, payload.size() % 2 == 0});
        const auto done = read_round(in_round({}, sql), sql);
        ASSERT_EQ(done.all.events.size(), payloads.size());
        const auto rows = sql.exec(
            "select payload, metadata, xid, (extract(epoch from created_at) * 1000000)::bigint "
            "from async_triggers.events order by id");
        for (int row = 0; row < rows.rows(); ++row) {
            const Event &event = done.all.events[static_cast<std::size_t>(row)];
            EXPECT_EQ(event.payload, rows.text(row, 0));
            EXPECT_EQ(event.payload, payloads[static_cast<std::size_t>(row)]);
            EXPECT_EQ(event.metadata, rows.text(row, 1));
            EXPECT_EQ(event.xid, Xid(rows.unsigned_integer(row, 2)));
            EXPECT_EQ(event.at.created_at, Timestamp(rows.integer(row, 3)));
        }
    }
}

TEST(ReplayReader, ReadsPagesInTheOrderOfThePrimaryKey) {
    Database database;
    auto &sql = database.sql;
    fill_days(database, 4, 9000);
    // Ids against the order of the days: what was written by a clock that stood wrong.
    sql.exec("insert into async_triggers.events (stream_id, created_at, payload) "
             "select 1, '2025-01-02 09:00:00+00', '{}' from generate_series(1, 500)");
    database.write(500);
    const auto cursor = in_round({}, sql);
    const auto done = read_round(cursor, sql, {.rows = 700});
    EXPECT_EQ(ids(done.all).size(), 13'000U);
    EXPECT_TRUE(std::is_sorted(done.all.events.begin(), done.all.events.end(),
                               [](const Event &a, const Event &b) { return a.at < b.at; }));
    for (const std::size_t page : done.pages)
        EXPECT_LE(page, 700U);
    EXPECT_LT(done.pages.size(), 60U);
}

TEST(ReplayReader, GoesOnWhereTheRoundStopped) {
    Database database;
    auto &sql = database.sql;
    database.write(50);
    auto cursor = in_round({}, sql);
    const auto all = read_round(cursor, sql);
    cursor.round_delivered(all.all.events[19].at);
    EXPECT_TRUE(cursor.deliver_ahead(all.all.events[24].xid, all.all.events[24].at.id));
    cursor.deliver_part(all.all.events[0].xid, EventId(23));
    const auto rest = ids(read_round(cursor, sql).all);
    ASSERT_EQ(rest.size(), 26U);
    EXPECT_EQ(rest[0], 24);
    EXPECT_EQ(rest[1], 26);
}

TEST(ReplayReader, CutsAPageOfLargeEventsAndStaysUsable) {
    Database database;
    auto &sql = database.sql;
    database.write(5000);
    sql.exec("insert into async_triggers.events (stream_id, payload) "
             "select 1, to_jsonb(repeat(md5(n::text), 8192)) from generate_series(1, 200) n");
    database.write(50);
    const auto cursor = in_round({}, sql);
    const auto done = read_round(cursor, sql, {.rows = 20'000, .bytes = 1 << 20});
    EXPECT_EQ(done.all.events.size(), 5250U);
    EXPECT_TRUE(std::is_sorted(done.all.events.begin(), done.all.events.end(),
                               [](const Event &a, const Event &b) { return a.at < b.at; }));
    EXPECT_LE(done.largest_page, (1U << 20) + 300'000U);
    EXPECT_EQ(sql.exec("select 1").integer(0, 0), 1);
}

TEST(ReplayReader, ReadsAPageAgainAfterAFailure) {
    Database database;
    auto &sql = database.sql;
    database.write(3000);
    const auto cursor = in_round({}, sql);
    ReplayReader reader(stream, cursor, {.rows = 500});
    Read done;
    ASSERT_TRUE(reader.read_page(sql, done.all));
    auto locker = database.connect();
    locker.exec("begin; lock table async_triggers.events in access exclusive mode");
    sql.exec("set lock_timeout = '20ms'");
    const auto before = done.all.events.size();
    EXPECT_THROW(reader.read_page(sql, done.all), Error);
    EXPECT_EQ(done.all.events.size(), before);
    locker.exec("rollback");
    read(reader, sql, done);
    EXPECT_EQ(done.all.events.size(), 3000U);
}

TEST(ReplayReader, StepsOverRowsThatNobodyWants) {
    Database database;
    auto &sql = database.sql;
    database.write(1);
    database.write(200'000, 2);
    database.write(1);
    const auto done = read_round(in_round({}, sql), sql);
    EXPECT_EQ(done.all.events.size(), 2U);
    EXPECT_LT(done.pages.size(), 12U);
}

TEST(ReplayReader, IsPlannedAsAMergeOfIndexScansWithoutStatistics) {
    Database database;
    auto &sql = database.sql;
    fill_days(database, 4, 20'000);
    ReplayReader reader(stream, in_round({}, sql), {.rows = 2000});
    Chunk chunk;
    ASSERT_TRUE(reader.read_page(sql, chunk));
    for (const char *statistics : {"", "analyze async_triggers.events"}) {
        sql.exec(statistics);
        sql.exec("begin");
        sql.exec(std::string(ReplayReader::page_settings()));
        std::string plan;
        const auto lines = sql.exec("explain " + reader.page_query());
        for (int row = 0; row < lines.rows(); ++row)
            plan += fmt::format("{}\n", lines.text(row, 0));
        sql.exec("rollback");
        EXPECT_NE(plan.find("Merge Append"), std::string::npos) << plan;
        EXPECT_EQ(plan.find("->  Sort"), std::string::npos) << plan;
        EXPECT_EQ(plan.find("Seq Scan"), std::string::npos) << plan;
        std::size_t scans = 0;
        for (auto at = plan.find("Index Cond: ((ROW(id, created_at) > ROW(");
             at != std::string::npos;
             at = plan.find("Index Cond: ((ROW(id, created_at) > ROW(", at + 1))
            ++scans;
        EXPECT_EQ(scans, 5U) << plan;
    }
}

TEST(PageAhead, GivesThePagesThatTheReaderWouldGive) {
    Database database;
    fill_days(database, 3, 9000);
    const auto cursor = in_round({}, database.sql);
    const auto expected = ids(read_round(cursor, database.sql, {.rows = 300}).all);
    PageAhead pages(database.connect(), ReplayReader(stream, cursor, {.rows = 300}));
    std::vector<std::int64_t> read;
    while (const auto page = pages.next())
        for (const std::int64_t id : ids(*page))
            read.push_back(id);
    EXPECT_EQ(read, expected);
    EXPECT_FALSE(pages.next());
}

TEST(PageAhead, HandsOnWhatReadingThrew) {
    Database database;
    database.write(3000);
    const auto cursor = in_round({}, database.sql);
    auto session = database.connect();
    const auto pid = session.backend_pid();
    PageAhead pages(std::move(session), ReplayReader(stream, cursor, {.rows = 100}));
    ASSERT_TRUE(pages.next());
    database.sql.exec("select pg_terminate_backend($1::integer, 30000)", {pid});
    const auto remedy = [&] {
        try {
            while (pages.next()) {
            }
        } catch (const Error &error) {
            return error.remedy();
        }
        return Remedy::configure;
    };
    EXPECT_EQ(remedy(), Remedy::reconnect);
    EXPECT_EQ(remedy(), Remedy::reconnect);
}

TEST(PageAhead, CanBeLeftInTheMiddle) {
    Database database;
    database.write(3000);
    const auto cursor = in_round({}, database.sql);
    for (int taken = 0; taken < 3; ++taken) {
        PageAhead pages(database.connect(), ReplayReader(stream, cursor, {.rows = 100}));
        for (int page = 0; page < taken; ++page)
            EXPECT_TRUE(pages.next());
    }
}

// Writers of every kind beside a reader that makes round after round, now and then stopping in one and
// going on from the stored form: in the end each committed event was read exactly once.
TEST(ReplayReader, ReadsEveryCommittedEventOnceWhileOthersWrite) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE(seed);
    Database database;
    std::atomic<int> writing = 6;
    std::vector<std::thread> writers;
    for (unsigned writer = 0; writer < 6; ++writer)
        writers.emplace_back([&, writer] {
            std::mt19937 random(seed + writer);
            auto sql = database.connect();
            const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(4);
            for (int n = 0; std::chrono::steady_clock::now() < until; ++n) {
                sql.exec("begin");
                for (auto rows = random() % 6 + 1; rows > 0; --rows) {
                    const bool undone = random() % 5 == 0;
                    if (undone || random() % 3 == 0) sql.exec("savepoint s");
                    sql.exec("insert into async_triggers.events (stream_id, payload) "
                             "select 1, '{}' from generate_series(1, $1::integer)",
                             {random() % 20 + 1});
                    if (undone) sql.exec("rollback to s");
                    if (random() % 6 == 0)
                        sql.exec(writer == 0 ? "select pg_sleep(0.3)" : "select pg_sleep(0.01)");
                }
                if (random() % 6 == 0) {
                    const auto name = fmt::format("replay {} {}", writer, n);
                    sql.exec("prepare transaction '" + name + "'");
                    sql.exec("select pg_sleep(0.1)");
                    sql.exec((random() % 3 == 0 ? "rollback prepared '" : "commit prepared '") +
                             name + "'");
                } else {
                    sql.exec(random() % 6 == 0 ? "rollback" : "commit");
                }
            }
            --writing;
        });

    std::mt19937 random(seed);
    auto &sql = database.sql;
    Cursor cursor;
    Floors floors;
    std::map<std::int64_t, int> times;
    int rounds = 0;
    for (bool last = false; !last;) {
        // A round that was stopped before is only finished: it does not see the last events.
        last = writing == 0 && !cursor.round();
        const auto capture = take_capture(sql);
        wait_until_flushed(sql, capture.wal);
        floors.add(capture);
        if (!cursor.round()) cursor.begin_round(capture.snapshot);
        ReplayReader reader(stream, cursor, {.rows = 50 + random() % 500});
        bool stopped = false;
        for (Chunk chunk; !stopped && reader.read_page(sql, chunk); chunk = {}) {
            for (const Event &event : chunk.events) {
                ASSERT_FALSE(cursor.holds(event.xid, event.at));
                ++times[event.at.id.value()];
                cursor.round_delivered(event.at);
                stopped = !last && random() % 200 == 0;
                if (stopped) break;
            }
        }
        if (stopped) continue;
        cursor.end_round(floors.floor_for(cursor.round()->snapshot));
        ++rounds;
    }
    for (auto &writer : writers)
        writer.join();

    const auto events = sql.exec("select id from async_triggers.events");
    EXPECT_GT(events.rows(), 1000);
    EXPECT_GT(rounds, 5);
    EXPECT_EQ(times.size(), static_cast<std::size_t>(events.rows()));
    for (int row = 0; row < events.rows(); ++row)
        EXPECT_EQ(times[events.integer(row, 0)], 1) << events.integer(row, 0);
}

} // namespace
} // namespace pgat::outbox
