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

// A commit is in the WAL, and read from it, long before snapshots see it: it waits for a standby that does not
// exist, until let_go() or the end.
class HeldBack {
  public:
    HeldBack(Cluster &cluster, OutageSite &site, const std::string &statement)
        : cluster_(cluster), site_(site) {
        wait_for_standby("nosuch");
        auto sql = site.connect();
        const auto writer = std::to_string(sql.backend_pid());
        held_ = std::thread([sql = std::move(sql), statement]() mutable { sql.exec(statement); });
        EXPECT_TRUE(eventually([&] {
            return others("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid = " +
                          writer)
                       .rows() == 1;
        }));
    }
    ~HeldBack() { let_go(); }
    HeldBack(const HeldBack &) = delete;
    HeldBack &operator=(const HeldBack &) = delete;

    // What others do meanwhile, who wait for no standby.
    postgres::Result others(const std::string &statement) {
        auto other = site_.connect();
        other.exec("SET synchronous_commit = local");
        return other.exec(statement);
    }
    void let_go() {
        if (!held_.joinable()) return;
        wait_for_standby("");
        held_.join();
    }

  private:
    void wait_for_standby(const std::string &name) {
        cluster_.set("synchronous_standby_names", name);
        cluster_.reload();
        EXPECT_TRUE(eventually([&] {
            return site_.connect().exec("SHOW synchronous_standby_names").text(0, 0) == name;
        }));
    }

    Cluster &cluster_;
    OutageSite &site_;
    std::thread held_;
};

struct HeldCommit : testing::Test {
    Cluster cluster;
    OutageSite site{cluster};

    bool has(std::int64_t item) {
        const auto items = site.items();
        return std::find(items.begin(), items.end(), item) != items.end();
    }
    std::vector<std::int64_t> sorted_items() {
        auto items = site.items();
        std::sort(items.begin(), items.end());
        return items;
    }
};

TEST_F(HeldCommit, IsNotLostByAnOutageThatEndsBeforeItIsVisible) {
    Daemon daemon(site.configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 10);
    ASSERT_TRUE(site.receiver.wait_for(10)) << daemon.err();
    site.lose_sink(11);
    HeldBack held(cluster, site, "INSERT INTO items VALUES (12)");
    held.others("INSERT INTO items SELECT generate_series(13, 4999)");
    const auto written = site.wal();
    held.others("INSERT INTO items VALUES (5000)");
    // Its position must not be confirmed: after a crash only the stream would have it.
    EXPECT_FALSE(eventually([&] { return site.confirmed() >= written; }, 3s)) << daemon.err();
    EXPECT_EQ(held.others("SELECT FROM items WHERE id = 12").rows(), 0);
    // The sink is back while the commit still hides: streaming must wait for it, or know it.
    site.receiver.start();
    EXPECT_TRUE(eventually([&] { return has(5000); })) << daemon.err();
    held.let_go();
    EXPECT_TRUE(eventually([&] { return site.status() == "streaming"; })) << daemon.err();
    EXPECT_TRUE(site.receiver.wait_for(5000)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(sorted_items(), numbers(1, 5000));
}

TEST_F(HeldCommit, IsNotLostByADaemonThatIsKilledWhileItHides) {
    const auto configuration = site.configuration();
    Daemon first(configuration);
    ASSERT_TRUE(first.wait_until_streaming()) << first.err();
    site.lose_sink(1);
    HeldBack held(cluster, site, "INSERT INTO items VALUES (2)");
    // So much that the WAL would be released at once, if it might be.
    held.others("INSERT INTO items SELECT generate_series(3, 4999)");
    const auto written = site.wal();
    held.others("INSERT INTO items VALUES (5000)");
    EXPECT_FALSE(eventually([&] { return site.confirmed() >= written; }, 3s)) << first.err();
    first.signal(SIGKILL);
    first.wait();
    site.receiver.start();
    Daemon second(configuration);
    // It takes the slot where the first one left it, and delivers what it sees.
    EXPECT_TRUE(eventually([&] { return has(5000); })) << second.err();
    EXPECT_EQ(second.err().find("the slot is not as this stream left it"), std::string::npos)
        << "a position is confirmed only when the row has it";
    EXPECT_FALSE(has(2));
    held.let_go();
    EXPECT_TRUE(second.wait_until_streaming()) << second.err();
    EXPECT_TRUE(eventually([&] { return has(2); })) << second.err();
    EXPECT_EQ(second.stop(), 0) << second.err();
    EXPECT_EQ(sorted_items(), numbers(1, 5000));
}

// Its first events have passed and the rest is still to be read when the last round is run.
TEST_F(HeldCommit, IsNotTornByAnOutageThatEndsWhileItIsBeingRead) {
    Daemon daemon(site.configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.lose_sink(1);
    daemon.signal(SIGSTOP);
    // Far more than the sockets hold.
    HeldBack held(cluster, site,
                  "INSERT INTO async_triggers.events (stream_id, payload)"
                  " SELECT " +
                      std::to_string(site.stream()) +
                      ", jsonb_build_object('new', jsonb_build_object('id', i), 'note',"
                      " repeat('x', 20000)) FROM generate_series(2, 2001) i");
    const auto walsender = static_cast<pid_t>(
        held.others("SELECT active_pid FROM pg_replication_slots WHERE slot_name = '" +
                    site.slot_name() + "'")
            .integer(0, 0));
    EXPECT_TRUE(eventually([&] {
        return held.others("SELECT FROM pg_stat_activity WHERE wait_event = 'WalSenderWriteData'"
                           " AND pid = " +
                           std::to_string(walsender))
                   .rows() == 1;
    }));
    ASSERT_EQ(::kill(walsender, SIGSTOP), 0);
    daemon.signal(SIGCONT);
    site.receiver.start();
    EXPECT_TRUE(eventually([&] { return has(1); })) << daemon.err();
    // The last round is tried once a second; it must not be the last before all of the commit is read.
    EXPECT_FALSE(eventually([&] { return site.status() == "streaming"; }, 3s)) << daemon.err();
    ::kill(walsender, SIGCONT);
    held.let_go();
    EXPECT_TRUE(eventually([&] { return site.status() == "streaming"; })) << daemon.err();
    EXPECT_TRUE(site.receiver.wait_for(2001)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(site.items(), numbers(1, 2001));
}

// Nobody sees it in the table, and the first word of it may be overtaken by the next.
TEST_F(HeldCommit, IsTheFirstThatWaitsInTheRowThoughItHides) {
    Daemon daemon(site.configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.receiver.stop();
    auto busy = site.connect();
    busy.exec(
        "SET synchronous_commit = local; BEGIN; SELECT FROM async_triggers.streams FOR UPDATE");
    HeldBack held(cluster, site, "INSERT INTO items VALUES (1)");
    EXPECT_TRUE(daemon.wait_for_err("the sink is still down")) << daemon.err();
    busy.exec("COMMIT");
    EXPECT_TRUE(eventually([&] {
        return held.others("SELECT status FROM async_triggers.streams").text(0, 0) == "failover";
    })) << daemon.err();
    site.receiver.start();
    held.let_go();
    EXPECT_TRUE(eventually([&] { return has(1); })) << daemon.err();
    EXPECT_TRUE(eventually([&] { return site.status() == "streaming"; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(site.items(), numbers(1, 1));
}

TEST_F(HeldCommit, IsWaitedForQuietlyWhenItIsAllThatWaits) {
    Daemon daemon(site.configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.receiver.stop();
    HeldBack held(cluster, site, "INSERT INTO items VALUES (1)");
    EXPECT_TRUE(eventually([&] {
        return held.others("SELECT status FROM async_triggers.streams").text(0, 0) == "failover";
    })) << daemon.err();
    site.receiver.start();
    const auto transactions = [&] {
        return held
            .others("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
            .integer(0, 0);
    };
    // A round a second, and a few statements of housekeeping.
    const auto before = transactions();
    EXPECT_FALSE(eventually([&] { return has(1); }, 5s)) << daemon.err();
    EXPECT_LT(transactions() - before, 200) << daemon.err();
    held.let_go();
    EXPECT_TRUE(eventually([&] { return site.status() == "streaming"; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(site.items(), numbers(1, 1));
}

} // namespace
} // namespace pgat
