// What others do to the slot and its publication: nothing of it costs an event.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/daemon.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::Daemon;
using support::eventually;
using support::numbers;
using support::printing_sink;
using support::Site;

TEST(Slot, ThatIsLostCostsAReplayAndNoEvent) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    std::vector<std::int64_t> delivered;
    const auto deliver_up_to = [&](std::int64_t last) {
        Daemon daemon(site.configure(printing_sink));
        ASSERT_TRUE(daemon.wait_for_out_lines(static_cast<std::size_t>(last) - delivered.size()))
            << daemon.err();
        // The first ones may come from the table while the slot is still being made.
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        EXPECT_EQ(daemon.stop(), 0) << daemon.err();
        const auto ids = support::item_ids(daemon.out());
        delivered.insert(delivered.end(), ids.begin(), ids.end());
    };
    site.insert_items(1, 100);
    deliver_up_to(100);
    // Dropped while the daemon is away.
    site.insert_items(101, 200);
    site.exec("SELECT pg_drop_replication_slot($1)", {site.slot()});
    site.insert_items(201, 300);
    deliver_up_to(300);
    // Moved forward by hand.
    site.insert_items(301, 400);
    site.exec("SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())", {site.slot()});
    site.insert_items(401, 500);
    deliver_up_to(500);
    // Made again by hand.
    site.insert_items(501, 600);
    site.exec("SELECT pg_drop_replication_slot($1)", {site.slot()});
    site.exec("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", {site.slot()});
    deliver_up_to(600);
    EXPECT_EQ(delivered, numbers(1, 600));
}

TEST(Slot, OlderThanItsPublicationCostsAReplayAndNoEvent) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    const auto drop = [&] {
        site.exec("DROP PUBLICATION async_triggers_stream_" + std::to_string(site.stream()));
    };
    std::vector<std::int64_t> delivered;
    {
        Daemon daemon(site.configure(printing_sink));
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        site.insert_items(1, 100);
        ASSERT_TRUE(daemon.wait_for_out_lines(100)) << daemon.err();
        // Under a daemon that streams.
        drop();
        site.insert_items(101, 200);
        ASSERT_TRUE(daemon.wait_for_out_lines(200, 60s)) << daemon.err();
        EXPECT_EQ(daemon.stop(), 0) << daemon.err();
        delivered = support::item_ids(daemon.out());
    }
    // While it is away, and made again by hand: the slot is older than it.
    site.insert_items(201, 250);
    drop();
    site.insert_items(251, 300);
    site.exec("SET ROLE " + site.role() + "; CREATE PUBLICATION async_triggers_stream_" +
              std::to_string(site.stream()) +
              " FOR TABLE async_triggers.events WITH (publish_via_partition_root = true)");
    site.insert_items(301, 350);
    Daemon daemon(site.configure(printing_sink));
    ASSERT_TRUE(daemon.wait_for_out_lines(150)) << daemon.err();
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(351, 400);
    ASSERT_TRUE(daemon.wait_for_out_lines(200)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0);
    const auto rest = support::item_ids(daemon.out());
    delivered.insert(delivered.end(), rest.begin(), rest.end());
    EXPECT_EQ(delivered, numbers(1, 400));
}

// Until it is lost: nothing of what it held back is an event.
void invalidate(Site &site) {
    ASSERT_TRUE(eventually([&] {
        site.exec(
            "SELECT pg_logical_emit_message(false, 'noise', repeat('x', 1000)), pg_switch_wal()");
        site.exec("CHECKPOINT");
        return site.exec("SELECT wal_status FROM pg_replication_slots").text(0, 0) == "lost";
    }));
}

TEST(Slot, ThatIsInvalidatedWithNothingLeftInItCostsNoEvent) {
    Cluster cluster({.settings = {{"max_slot_wal_keep_size", "1MB"}}, .hba = {}});
    Site site(cluster);
    site.subscribe_to_items();
    std::vector<std::int64_t> delivered;
    {
        Daemon daemon(site.configure(printing_sink));
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        site.insert_items(1, 100);
        ASSERT_TRUE(daemon.wait_for_out_lines(100)) << daemon.err();
        EXPECT_EQ(daemon.stop(), 0) << daemon.err();
        delivered = support::item_ids(daemon.out());
    }
    invalidate(site);
    // Committed after that slot, and before the next one has its consistent point.
    auto late = site.connect();
    late.exec("BEGIN; INSERT INTO items VALUES (150)");
    site.insert_items(101, 149);
    Daemon daemon(site.configure(printing_sink));
    ASSERT_TRUE(daemon.wait_for_out_lines(49)) << daemon.err();
    ASSERT_TRUE(daemon.wait_for_err("creating the slot")) << daemon.err();
    late.exec("COMMIT");
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(151, 200);
    ASSERT_TRUE(daemon.wait_for_out_lines(100)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(support::occurrences(daemon.err(), "replacing the slot"), 1U) << daemon.err();
    const auto rest = support::item_ids(daemon.out());
    delivered.insert(delivered.end(), rest.begin(), rest.end());
    EXPECT_EQ(delivered, numbers(1, 200));
}

TEST(Slot, WhoseNameSomebodyElseHasIsRefusedAndNeverDropped) {
    Cluster &cluster = Cluster::shared();
    Site site(cluster);
    site.subscribe_to_items();
    const auto configuration = site.configure(printing_sink);
    const auto other_database = cluster.create_database();
    const auto slot_as_it_is = [&] {
        const auto found = site.exec("SELECT row(slot_type, plugin, database, restart_lsn,"
                                     " confirmed_flush_lsn)::text FROM pg_replication_slots"
                                     " WHERE slot_name = $1",
                                     {site.slot()});
        return found.empty() ? "none" : std::string(found.text(0, 0));
    };
    struct Other {
        std::string database;
        std::string made_by;
        std::string complaint;
    };
    std::vector<Other> others = {
        {other_database, "SELECT pg_create_logical_replication_slot($1, 'pgoutput')",
         "it belongs to database " + other_database},
        {site.database(), "SELECT pg_create_physical_replication_slot($1, true)",
         "it is a physical slot"},
        {site.database(), "SELECT pg_create_logical_replication_slot($1, 'pgoutput', false, true)",
         "it decodes prepared transactions"},
    };
    // A plugin of Postgres's contrib, which not every build of it brings.
    if (!site.exec("SELECT FROM pg_ls_dir($1) file WHERE file = 'test_decoding.so'",
                   {site.exec("SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'").text(0, 0)})
             .empty())
        others.push_back({site.database(),
                          "SELECT pg_create_logical_replication_slot($1, 'test_decoding')",
                          "it decodes with plugin test_decoding, not pgoutput"});
    for (const auto &other : others) {
        cluster.connect(other.database).exec(other.made_by, {site.slot()});
        const auto before = slot_as_it_is();
        Daemon daemon(configuration);
        EXPECT_EQ(daemon.wait(), 1) << daemon.err();
        daemon.wait_for_end_of_output();
        EXPECT_NE(daemon.err().find(other.complaint), std::string::npos) << daemon.err();
        EXPECT_NE(daemon.err().find("stream.slot_name"), std::string::npos)
            << "no way out is given: " << daemon.err();
        EXPECT_EQ(slot_as_it_is(), before);
        site.exec("SELECT pg_drop_replication_slot($1)", {site.slot()});
    }
    // Taken while the daemon runs.
    Daemon daemon(configuration);
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    ASSERT_TRUE(eventually([&] {
        site.exec("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                  " WHERE slot_name = $1 AND active",
                  {site.slot()});
        try {
            site.exec("SELECT pg_drop_replication_slot($1), "
                      "pg_create_physical_replication_slot($1, true)",
                      {site.slot()});
            return true;
        } catch (const Error &) {
            return false; // the daemon is back already
        }
    })) << daemon.err();
    EXPECT_EQ(daemon.wait(), 1) << daemon.err();
    EXPECT_NE(slot_as_it_is().find("physical"), std::string::npos);
    site.exec("SELECT pg_drop_replication_slot($1)", {site.slot()});
}

} // namespace
} // namespace pgat
