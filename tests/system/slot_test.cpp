// What others do to the slot and its publication: nothing of it costs an event.
#include <gtest/gtest.h>

#include "support/daemon.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::Daemon;
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

} // namespace
} // namespace pgat
