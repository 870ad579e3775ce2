// What else fails while the sink is down: the daemon, the slot, Postgres, a synchronous standby.
#include <algorithm>
#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "system/outage_site.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::Daemon;
using support::eventually;
using support::numbers;

TEST(AnOutage, InWhichTheDaemonIsStoppedAndStartedMakesNoDuplicates) {
    OutageSite site;
    const auto configuration = site.configuration();
    Daemon first(configuration);
    ASSERT_TRUE(first.wait_until_streaming()) << first.err();
    site.insert_items(1, 100);
    ASSERT_TRUE(site.receiver.wait_for(100)) << first.err();
    site.lose_sink(101);
    site.insert_items(102, 200);
    const auto since = site.row("failover_since");
    EXPECT_EQ(first.stop(), 0) << first.err();
    EXPECT_EQ(site.status(), "failover") << "a stop mends nothing";
    site.insert_items(201, 250);
    Daemon second(configuration);
    ASSERT_TRUE(second.wait_for_err("the sink is down")) << second.err();
    EXPECT_TRUE(eventually([&] { return site.row("failover_waiting") == "150"; }))
        << site.row("failover_waiting");
    EXPECT_EQ(site.row("failover_since"), since);
    site.give_sink_back();
    ASSERT_TRUE(site.receiver.wait_for(250)) << second.err();
    EXPECT_EQ(second.stop(), 0) << second.err();
    EXPECT_EQ(site.items(), numbers(1, 250));
}

TEST(AnOutage, InWhichTheDaemonIsKilledAndTheSlotIsLostLosesNothing) {
    OutageSite site;
    const auto configuration = site.configuration();
    {
        Daemon daemon(configuration);
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        site.insert_items(1, 100);
        ASSERT_TRUE(site.receiver.wait_for(100)) << daemon.err();
        site.lose_sink(101);
        site.insert_items(102, 200);
        daemon.signal(SIGKILL);
        daemon.wait();
    }
    ASSERT_TRUE(eventually([&] {
        return site.exec("SELECT FROM pg_replication_slots WHERE slot_name = $1 AND NOT active",
                         {site.slot()})
                   .rows() == 1;
    }));
    site.exec("SELECT pg_drop_replication_slot($1)", {site.slot()});
    site.insert_items(201, 250);
    Daemon daemon(configuration);
    ASSERT_TRUE(daemon.wait_for_err("slot created")) << daemon.err();
    site.insert_items(251, 300);
    ASSERT_TRUE(daemon.wait_for_err("the sink is down")) << daemon.err();
    site.give_sink_back();
    ASSERT_TRUE(eventually([&] {
        const auto items = site.items();
        return !items.empty() && items.back() == 300;
    })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    auto items = site.items();
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
    EXPECT_EQ(items, numbers(1, 300));
}

// What the row says of the outage's beginning is not written over by the second trouble.
TEST(AnOutage, InWhichTheSlotIsLostUnderTheDaemonForgetsNothingOfItself) {
    OutageSite site;
    Daemon daemon(site.configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 100);
    ASSERT_TRUE(site.receiver.wait_for(100)) << daemon.err();
    site.lose_sink(101);
    const auto checkpoint = site.row("failover_checkpoint_id");
    const auto since = site.row("failover_since");
    EXPECT_NE(checkpoint, "-");
    for (int last = 200; last <= 400; last += 100) {
        site.insert_items(last == 200 ? 102 : last - 99, last);
        const auto made = support::occurrences(daemon.err(), "slot created");
        ASSERT_TRUE(eventually([&] {
            try {
                site.exec("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                          " WHERE slot_name = $1 AND active",
                          {site.slot()});
                site.exec("SELECT pg_drop_replication_slot($1)", {site.slot()});
                return true;
            } catch (const Error &) {
                return false;
            }
        })) << daemon.err();
        ASSERT_TRUE(eventually([&] {
            return support::occurrences(daemon.err(), "slot created") > made;
        })) << daemon.err();
        EXPECT_EQ(site.status(), "failover");
        EXPECT_EQ(site.row("failover_checkpoint_id"), checkpoint);
        EXPECT_EQ(site.row("failover_since"), since);
    }
    site.give_sink_back();
    ASSERT_TRUE(site.receiver.wait_for(400)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(site.items(), numbers(1, 400));
}

TEST(AnOutage, InWhichPostgresRestartsMakesNoDuplicates) {
    Cluster cluster;
    OutageSite site(cluster);
    Daemon daemon(site.configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 100);
    ASSERT_TRUE(site.receiver.wait_for(100)) << daemon.err();
    site.lose_sink(101);
    site.insert_items(102, 200);
    cluster.restart();
    site.insert_items(201, 249);
    const auto written = site.wal();
    site.insert_items(250, 250);
    EXPECT_TRUE(eventually([&] { return site.confirmed() >= written; })) << daemon.err();
    cluster.restart(Cluster::Stop::immediate);
    site.insert_items(251, 300);
    site.give_sink_back();
    ASSERT_TRUE(site.receiver.wait_for(300)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(site.items(), numbers(1, 300));
}

// A commit is in the WAL, and read from it, long before snapshots see it.
TEST(AnOutage, LosesNoCommitThatASynchronousStandbyHoldsBack) {
    Cluster cluster;
    OutageSite site(cluster);
    Daemon daemon(site.configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 10);
    ASSERT_TRUE(site.receiver.wait_for(10)) << daemon.err();
    site.lose_sink(11);
    cluster.set("synchronous_standby_names", "nosuch");
    cluster.reload();
    ASSERT_TRUE(eventually([&] {
        return site.connect().exec("SHOW synchronous_standby_names").text(0, 0) == "nosuch";
    }));
    // Its commit waits for a standby that does not exist.
    auto sql = site.connect();
    const auto writer = sql.backend_pid();
    std::thread held([&] { sql.exec("INSERT INTO items VALUES (12)"); });
    const auto others = [&](const std::string &statement) {
        auto other = site.connect();
        other.exec("SET synchronous_commit = local");
        return other.exec(statement);
    };
    EXPECT_TRUE(eventually([&] {
        return others("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid = " +
                      std::to_string(writer))
                   .rows() == 1;
    }));
    others("INSERT INTO items SELECT generate_series(13, 4999)");
    const auto written = site.wal();
    others("INSERT INTO items VALUES (5000)");
    // Its position must not be confirmed: after a crash only the stream would have it.
    EXPECT_FALSE(eventually([&] { return site.confirmed() >= written; }, 3s)) << daemon.err();
    EXPECT_EQ(others("SELECT FROM items WHERE id = 12").rows(), 0);
    // The sink is back while the commit still hides: streaming must wait for it, or know it.
    site.receiver.start();
    EXPECT_TRUE(eventually([&] {
        const auto items = site.items();
        return std::find(items.begin(), items.end(), 5000) != items.end();
    })) << daemon.err();
    cluster.set("synchronous_standby_names", "");
    cluster.reload();
    held.join();
    EXPECT_TRUE(eventually([&] { return site.status() == "streaming"; })) << daemon.err();
    EXPECT_TRUE(site.receiver.wait_for(5000)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    auto items = site.items();
    std::sort(items.begin(), items.end());
    EXPECT_EQ(items, numbers(1, 5000));
}

} // namespace
} // namespace pgat
