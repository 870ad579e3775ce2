// Postgres crashes before it has flushed its WAL: transactions that were committed, and seen, are gone, and
// their xids and ids are given to others, on the same timeline.
#include <csignal>

#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::Daemon;
using support::eventually;
using support::printing_sink;
using support::Site;

std::vector<std::int64_t> integers(const postgres::Result &result) {
    std::vector<std::int64_t> all;
    for (int row = 0; row < result.rows(); ++row)
        all.push_back(result.integer(row, 0));
    return all;
}

TEST(Crash, ThatLosesCommitsLetsTheirXidsAndIdsBeUsedAgainAndNoEventIsTakenForThem) {
    // The WAL writer would flush, sooner or later; so would a page that has to go to disk.
    Cluster cluster({.settings = {{"autovacuum", "off"},
                                  {"bgwriter_lru_maxpages", "0"},
                                  {"wal_buffers", "16MB"}},
                     .hba = {}});
    Site site(cluster);
    site.subscribe_to_items();
    Daemon daemon(site.configure(printing_sink));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    std::int64_t last = 0; // item
    const auto write = [&](postgres::Connection &writer, int count) {
        for (int i = 0; i < count; ++i)
            writer.exec("INSERT INTO items VALUES ($1)", {++last});
    };
    const auto all_delivered = [&] {
        return eventually([&] {
            const auto ids = support::item_ids(daemon.out());
            return !ids.empty() && ids.back() == last;
        });
    };
    std::int64_t lost = 0;
    int used_again = 0;
    // On a busy machine more of what is not flushed gets flushed after all.
    const auto shown = [&] { return lost > 0 && used_again > 0; };
    for (int round = 0; round < 4 || (!shown() && round < 16); ++round) {
        const auto wal_writer = static_cast<pid_t>(
            site.exec("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
                .integer(0, 0));
        ASSERT_EQ(::kill(wal_writer, SIGSTOP), 0);
        auto writer = site.connect();
        std::int64_t newest = 0;
        // Until a capture comes after them, while their WAL is not flushed. One is taken when something has
        // been delivered, but a second after the last one.
        ASSERT_TRUE(eventually([&] {
            for (int twice = 0; twice < 2; ++twice) {
                writer.exec("SET synchronous_commit = on");
                write(writer, 1);
                if (!all_delivered()) return false;
            }
            writer.exec("SET synchronous_commit = off");
            write(writer, 50);
            const auto written = writer.exec("SELECT max(xid::text::bigint), clock_timestamp()"
                                             " FROM async_triggers.events");
            newest = written.integer(0, 0);
            return eventually(
                [&] {
                    return !writer
                                .exec("SELECT FROM pg_stat_activity WHERE usename = $1"
                                      " AND query LIKE '%pg_current_wal_insert_lsn%'"
                                      " AND state = 'idle' AND query_start > $2::timestamptz",
                                      {site.role(), written.text(0, 1)})
                                .empty();
                },
                3s);
        })) << daemon.err();
        cluster.kill();
        cluster.start();
        const auto left = site.exec("SELECT max(id) FROM items").integer(0, 0);
        lost += last - left;
        auto next = site.connect();
        write(next, 1);
        const auto xid = site.exec("SELECT max(xid::text::bigint) FROM async_triggers.events");
        if (xid.integer(0, 0) <= newest) ++used_again;
        write(next, 60);
        ASSERT_TRUE(all_delivered()) << daemon.err();
    }
    EXPECT_GT(lost, 0) << "this test shows nothing";
    EXPECT_GT(used_again, 0) << "this test shows nothing";
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    // No more, no less, no duplicates, in order.
    EXPECT_EQ(support::item_ids(daemon.out()),
              integers(site.exec("SELECT (payload -> 'new' ->> 'id')::bigint"
                                 " FROM async_triggers.events ORDER BY id")));
}

} // namespace
} // namespace pgat
