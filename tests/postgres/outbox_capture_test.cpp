#include "outbox/capture.hpp"

#include <atomic>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "outbox/floors.hpp"
#include "outbox_database.hpp"
#include "support/waiting.hpp"

namespace pgat::outbox {
namespace {

TEST(Capture, KnowsThatAnUnusedSequenceHasHandedOutNothing) {
    Database database;
    EXPECT_EQ(take_capture(database.sql).seq, EventId(0));
    database.write(1);
    EXPECT_EQ(take_capture(database.sql).seq, EventId(1));
    database.write(1);
    EXPECT_EQ(take_capture(database.sql).seq, EventId(2));
}

TEST(Capture, LeavesNothingOfItselfOpen) {
    Database database;
    const auto first = take_capture(database.sql);
    const auto second = take_capture(database.sql);
    EXPECT_LT(first.before, second.snapshot.xmin());
    EXPECT_LT(first.wal, second.wal);
}

TEST(Capture, ForcesTheFlushThatNobodyElseMakes) {
    // A transaction that has written WAL and does not commit; the WAL writer asleep for ten seconds.
    support::Cluster::Options options;
    options.settings = {{"wal_writer_delay", "10s"}};
    support::Cluster cluster(options);
    Database database(cluster);
    auto open = database.connect();
    open.exec("begin; insert into async_triggers.events (stream_id, payload) values (1, '{}')");
    const auto capture = take_capture(database.sql);
    ASSERT_LT(database.sql.exec("select pg_current_wal_flush_lsn()").lsn(0, 0), capture.wal)
        << "flushed already: this test shows nothing";
    const auto begun = std::chrono::steady_clock::now();
    wait_until_flushed(database.sql, capture.wal);
    EXPECT_GE(database.sql.exec("select pg_current_wal_flush_lsn()").lsn(0, 0), capture.wal);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST(Capture, ForcesTheFlushForARoleWithoutPrivileges) {
    Database database;
    database.sql.exec("drop role if exists nobody_special");
    database.sql.exec("create role nobody_special login");
    auto session = database.connect("nobody_special");
    session.exec("set synchronous_commit = local");
    const auto end = database.sql.exec("select pg_current_wal_insert_lsn()").lsn(0, 0);
    wait_until_flushed(session, Lsn(end.value() + 8));
}

TEST(Capture, GivesUpOnAPositionThatTheServerDoesNotReach) {
    Database database;
    try {
        wait_until_flushed(database.sql, Lsn(1ULL << 60), std::chrono::milliseconds(50));
        FAIL();
    } catch (const Error &error) {
        EXPECT_EQ(error.remedy(), Remedy::retry);
        EXPECT_FALSE(error.hint().empty());
    }
}

// Writers that keep transactions open over captures; then every event is held against every capture.
TEST(Capture, NeverGivesAFloorAboveAnEventThatItsSnapshotDoesNotSee) {
    Database database;
    std::atomic<bool> stop = false;
    std::vector<std::thread> writers;
    for (unsigned writer = 0; writer < 5; ++writer)
        writers.emplace_back([&, writer] {
            std::mt19937 random(writer);
            auto sql = database.connect();
            for (int n = 0; !stop; ++n) {
                sql.exec("begin");
                for (auto rows = random() % 4 + 1; rows > 0; --rows) {
                    if (random() % 3 == 0) sql.exec("savepoint s");
                    sql.exec(
                        "insert into async_triggers.events (stream_id, payload) values (1, '{}')");
                    if (random() % 4 == 0) sql.exec("select pg_sleep(random() * 0.02)");
                }
                if (random() % 8 == 0) {
                    const auto name = fmt::format("capture {} {}", writer, n);
                    sql.exec("prepare transaction '" + name + "'");
                    sql.exec("select pg_sleep(random() * 0.05)");
                    sql.exec("commit prepared '" + name + "'");
                } else {
                    sql.exec(random() % 8 == 0 ? "rollback" : "commit");
                }
            }
        });
    Floors floors;
    struct Taken {
        Capture capture;
        EventId floor;
    };
    std::vector<Taken> taken;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    while (std::chrono::steady_clock::now() < until) {
        const auto capture = take_capture(database.sql);
        floors.add(capture);
        taken.push_back({capture, floors.floor_for(capture.snapshot)});
        if (taken.size() > 1) {
            ASSERT_TRUE(capture.snapshot.covers(taken[taken.size() - 2].capture.snapshot));
        }
    }
    stop = true;
    for (auto &writer : writers)
        writer.join();

    const auto events = database.sql.exec("select xid, id from async_triggers.events order by id");
    std::size_t unseen = 0;
    for (const auto &[capture, floor] : taken)
        for (int row = 0; row < events.rows(); ++row) {
            if (capture.snapshot.sees(Xid(events.unsigned_integer(row, 0)))) continue;
            ++unseen;
            ASSERT_GT(EventId(events.integer(row, 1)), floor);
        }
    EXPECT_GT(unseen, 1000U);
    EXPECT_GT(taken.back().floor, EventId(0));
}

} // namespace
} // namespace pgat::outbox
