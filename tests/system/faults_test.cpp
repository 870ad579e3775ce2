// What fails beside the sink: the daemon, Postgres, the network. Nothing is lost, and duplicates come only
// after a kill.
#include <algorithm>
#include <csignal>

#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/http_receiver.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::Daemon;
using support::eventually;
using support::HttpReceiver;
using support::numbers;
using support::Site;

constexpr auto print = support::printing_sink;

TEST(Faults, AKilledDaemonDeliversTheRestAfterItsRestart) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    std::vector<std::int64_t> delivered;
    std::int64_t written = 0;
    for (int round = 0; round < 5; ++round) {
        Daemon daemon(site.configure(print));
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        const auto before = daemon.out_lines();
        for (int i = 0; i < 20; ++i, written += 100)
            site.insert_items(written + 1, written + 100);
        ASSERT_TRUE(daemon.wait_for_out_lines(before + 300)) << daemon.err();
        daemon.signal(SIGKILL);
        daemon.wait();
        daemon.wait_for_end_of_output();
        const auto ids = support::item_ids(daemon.out());
        delivered.insert(delivered.end(), ids.begin(), ids.end());
    }
    Daemon daemon(site.configure(print));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    ASSERT_TRUE(eventually([&] {
        auto all = delivered;
        const auto ids = support::item_ids(daemon.out());
        all.insert(all.end(), ids.begin(), ids.end());
        return support::once_each(all).size() == static_cast<std::size_t>(written);
    })) << daemon.err();
    const auto ids = support::item_ids(daemon.out());
    delivered.insert(delivered.end(), ids.begin(), ids.end());
    EXPECT_EQ(support::once_each(delivered), numbers(1, written));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST(Faults, ARestartOfPostgresMakesNeitherLossNorDuplicates) {
    for (const auto how : {Cluster::Stop::fast, Cluster::Stop::immediate}) {
        Cluster cluster;
        Site site(cluster);
        site.subscribe_to_items();
        Daemon daemon(site.configure(print));
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        for (int round = 0; round < 3; ++round) {
            site.insert_items(round * 1000 + 1, round * 1000 + 500);
            cluster.restart(how);
            site.insert_items(round * 1000 + 501, round * 1000 + 1000);
        }
        ASSERT_TRUE(daemon.wait_for_out_lines(3000, 60s)) << daemon.err();
        EXPECT_TRUE(daemon.running());
        EXPECT_EQ(daemon.stop(), 0) << daemon.err();
        EXPECT_EQ(support::item_ids(daemon.out()), numbers(1, 3000));
    }
}

TEST(Faults, PostgresShutsDownAtOnceThoughTheDaemonIsConnected) {
    Cluster cluster;
    Site site(cluster);
    site.subscribe_to_items();
    HttpReceiver receiver;
    receiver.answer_with(503);
    Daemon daemon(site.configure("  type: http\n  url: " + receiver.url() + "\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 1000);
    ASSERT_TRUE(receiver.wait_for(1));
    const auto before = std::chrono::steady_clock::now();
    cluster.stop(Cluster::Stop::fast);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
    cluster.start();
    receiver.answer_with(200);
    ASSERT_TRUE(eventually([&] {
        return site.exec("SELECT confirmed_flush_lsn >= $1::pg_lsn FROM pg_replication_slots",
                         {site.exec("SELECT pg_current_wal_lsn()").lsn(0, 0)})
                       .text(0, 0) == "t" ||
               receiver.requests().size() >= 1001;
    })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST(Faults, EndedSessionsAreReplacedWithoutDuplicates) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    Daemon daemon(site.configure(print));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    std::int64_t written = 0;
    for (int round = 0; round < 6; ++round) {
        site.insert_items(written + 1, written + 200);
        written += 200;
        site.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                  " WHERE application_name LIKE $1 AND (backend_type = 'walsender') = $2::boolean",
                  {"async_triggers_" + std::to_string(site.stream()) + "_%", round % 2 == 0});
        site.insert_items(written + 1, written + 200);
        written += 200;
        ASSERT_TRUE(daemon.wait_for_out_lines(static_cast<std::size_t>(written))) << daemon.err();
    }
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(support::item_ids(daemon.out()), numbers(1, written));
}

TEST(Faults, ASlowSinkDoesNotStarveKeepalives) {
    Cluster cluster({.settings = {{"wal_sender_timeout", "2s"}}, .hba = {}});
    Site site(cluster);
    site.subscribe_to_items();
    HttpReceiver receiver;
    std::atomic<bool> held{true};
    receiver.answer_with([&](const support::HttpRequest &) {
        eventually([&] { return !held.load(); }, 10s);
        return support::HttpAnswer{};
    });
    Daemon daemon(site.configure("  type: http\n  url: " + receiver.url() + "\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    const auto walsender = [&] {
        return site.exec("SELECT active_pid FROM pg_replication_slots").integer(0, 0);
    };
    const auto pid = walsender();
    // More than the queue and the sockets hold, so that the server is held back as well.
    site.exec("UPDATE async_triggers.subscriptions SET column_names = '{id,name}'");
    site.exec("INSERT INTO items SELECT i, repeat('x', 100000) FROM generate_series(1, 400) i");
    ASSERT_TRUE(receiver.wait_for(1)) << daemon.err();
    ASSERT_FALSE(eventually([&] { return walsender() != pid; }, 7s)) << daemon.err();
    held = false;
    ASSERT_TRUE(receiver.wait_for(400, 60s)) << daemon.err();
    EXPECT_EQ(walsender(), pid);
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
}

TEST(Faults, AKillBehindASlowSinkMakesDuplicatesOfSecondsOnly) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    HttpReceiver receiver;
    receiver.answer_with([](const support::HttpRequest &) {
        eventually([] { return false; }, 20ms);
        return support::HttpAnswer{};
    });
    const auto configuration = site.configure("  type: http\n  url: " + receiver.url() + "\n",
                                              "  batch: {max_size: 10}\n");
    std::size_t before = 0;
    {
        Daemon daemon(configuration);
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        // In one transaction, so that no snapshot helps before its end.
        site.insert_items(1, 600);
        ASSERT_TRUE(receiver.wait_for(350)) << daemon.err();
        daemon.signal(SIGKILL);
        daemon.wait();
        before = receiver.requests().size();
    }
    ASSERT_LT(before, 600U) << "the sink was not slow: this test shows nothing";
    Daemon daemon(configuration);
    ASSERT_TRUE(receiver.wait_for(before + 1)) << daemon.err();
    const auto again = support::item_ids(receiver.requests()[before].body + "\n");
    ASSERT_EQ(again.size(), 1U);
    // Two seconds, a batch, and what a busy machine adds.
    EXPECT_GT(again.front(), static_cast<std::int64_t>(before) - 250) << "of " << before;
    ASSERT_TRUE(eventually([&] {
        const auto requests = receiver.requests();
        return support::item_ids(requests.back().body + "\n").front() == 600;
    })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST(Faults, AnIdleDatabaseWithABusyNeighbourReleasesItsWal) {
    Cluster cluster;
    Site site(cluster);
    site.subscribe_to_items();
    Daemon daemon(site.configure(print));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    const auto neighbour = cluster.create_database();
    auto busy = cluster.connect(neighbour);
    busy.exec("CREATE TABLE noise (x text)");
    busy.exec("INSERT INTO noise SELECT repeat('x', 1000) FROM generate_series(1, 20000)");
    const auto end = site.exec("SELECT pg_current_wal_lsn()").lsn(0, 0);
    ASSERT_TRUE(eventually(
        [&] {
            return site.exec("SELECT confirmed_flush_lsn FROM pg_replication_slots").lsn(0, 0) >=
                   end;
        },
        40s))
        << daemon.err();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST(Faults, ALateCommitIsNotLost) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    // Takes its ids before everything else, commits last.
    auto late = site.connect();
    late.exec("BEGIN; INSERT INTO items VALUES (1); SET CONSTRAINTS ALL IMMEDIATE; PREPARE "
              "TRANSACTION 'late'");
    Daemon daemon(site.configure(print));
    site.insert_items(2, 100);
    // The slot waits for the prepared transaction; the table does not.
    ASSERT_TRUE(daemon.wait_for_out_lines(99)) << daemon.err();
    late.exec("COMMIT PREPARED 'late'");
    ASSERT_TRUE(daemon.wait_for_out_lines(100)) << daemon.err();
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    late.exec("BEGIN; INSERT INTO items VALUES (101); SET CONSTRAINTS ALL IMMEDIATE; PREPARE "
              "TRANSACTION 'late'");
    site.insert_items(102, 200);
    ASSERT_TRUE(daemon.wait_for_out_lines(199)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    late.exec("COMMIT PREPARED 'late'");
    Daemon again(site.configure(print));
    ASSERT_TRUE(again.wait_for_out_lines(1)) << again.err();
    EXPECT_EQ(again.stop(), 0);
    EXPECT_EQ(support::item_ids(again.out()), (std::vector<std::int64_t>{101}));
    auto ids = support::item_ids(daemon.out());
    std::sort(ids.begin(), ids.end());
    auto expected = numbers(1, 100);
    const auto rest = numbers(102, 200);
    expected.insert(expected.end(), rest.begin(), rest.end());
    EXPECT_EQ(ids, expected);
}

TEST(Faults, ASinkThatIsAwayGetsEverythingOnceItIsBack) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    HttpReceiver receiver;
    Daemon daemon(site.configure("  type: http\n  url: " + receiver.url() + "\n",
                                 "  retry: {initial_backoff_ms: 10, max_backoff_ms: 200}\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 50);
    ASSERT_TRUE(receiver.wait_for(50));
    receiver.stop();
    site.insert_items(51, 100);
    ASSERT_TRUE(daemon.wait_for_err("the sink is down")) << daemon.err();
    site.insert_items(101, 150);
    receiver.start();
    ASSERT_TRUE(receiver.wait_for(150)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    std::string bodies;
    for (const auto &request : receiver.requests())
        bodies += request.body + "\n";
    EXPECT_EQ(support::item_ids(bodies), numbers(1, 150));
}

} // namespace
} // namespace pgat
