// What clocks and calendars do: they step back, months pass.
#include <csignal>

#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using support::Cluster;
using support::Daemon;
using support::eventually;
using support::numbers;
using support::Site;

constexpr auto print = support::printing_sink;

// Events with ids from `first` on, each an hour and a half older than the one before, over two days back, and
// again: into partitions of several days, the default one among them.
void write_while_the_clock_steps_back(Site &site, std::int64_t first, std::int64_t last) {
    site.exec("INSERT INTO async_triggers.events (stream_id, created_at, payload)"
              " SELECT $1, now() - (i % 32) * interval '90 minutes',"
              " jsonb_build_object('new', jsonb_build_object('id', i))"
              " FROM generate_series($2::bigint, $3::bigint) i",
              {site.stream(), first, last});
}

TEST(Time, ThatStepsBackCostsNeitherEventsNorTheirOrder) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    site.make_past_day(1);
    write_while_the_clock_steps_back(site, 1, 20'000);
    std::vector<std::int64_t> delivered;
    {
        Daemon daemon(site.configure(print));
        daemon.read_out_lines_up_to(7'000);
        ASSERT_TRUE(daemon.wait_for_out_lines(7'000)) << daemon.err();
        daemon.signal(SIGTERM);
        ASSERT_TRUE(daemon.wait_for_err("stopping"));
        daemon.read_out_lines_up_to(SIZE_MAX);
        EXPECT_EQ(daemon.wait(), 0) << daemon.err();
        daemon.wait_for_end_of_output();
        delivered = support::item_ids(daemon.out());
        EXPECT_LT(delivered.size(), 20'000U);
    }
    Daemon daemon(site.configure(print));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    write_while_the_clock_steps_back(site, 20'001, 21'000);
    ASSERT_TRUE(daemon.wait_for_out_lines(21'000 - delivered.size())) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    const auto rest = support::item_ids(daemon.out());
    delivered.insert(delivered.end(), rest.begin(), rest.end());
    EXPECT_EQ(delivered, numbers(1, 21'000));
    EXPECT_EQ(
        site.exec("SELECT count(DISTINCT tableoid) > 1 FROM async_triggers.events").text(0, 0),
        "t");
}

// No partition for today: the daemon was away for longer than it makes them ahead.
TEST(Time, ThatTheDaemonWasAwayForCostsTheWritersNothing) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    {
        Daemon daemon(site.configure(print));
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    }
    site.exec("DO $$ DECLARE name text; BEGIN FOR name IN SELECT relname FROM pg_class WHERE"
              " relname ~ '^events_[0-9]{8}$' LOOP"
              " EXECUTE 'DROP TABLE async_triggers.' || name; END LOOP; END $$");
    site.insert_items(1, 100);
    EXPECT_EQ(site.exec("SELECT count(*) FROM async_triggers.events_default").integer(0, 0), 100);
    Daemon daemon(site.configure(print));
    ASSERT_TRUE(daemon.wait_for_out_lines(100)) << daemon.err();
    ASSERT_TRUE(daemon.wait_for_err("partition created")) << daemon.err();
    EXPECT_EQ(site.exec("SELECT count(*) FROM pg_inherits WHERE inhparent ="
                        " 'async_triggers.events'::regclass")
                  .integer(0, 0),
              4)
        << "the default one and three days ahead; today stays in the default one";
    site.insert_items(101, 200);
    ASSERT_TRUE(daemon.wait_for_out_lines(200)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(support::item_ids(daemon.out()), numbers(1, 200));
}

// Nothing happens on the stream, and partitions for the coming days are made all the same: the next look is
// planned by the clock, many times before those run out that are there.
TEST(Time, ThatPassesWithoutAnEventBringsPartitionsToo) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    Daemon daemon(site.configure(print, "  partitions: {days_ahead: 1}\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    ASSERT_TRUE(eventually([&] {
        return site.exec("SELECT next_maintenance_at > now() AND next_maintenance_at < now() +"
                         " interval '2 hours' FROM async_triggers.streams")
                   .text(0, 0) == "t";
    })) << daemon.err();
    EXPECT_EQ(site.exec("SELECT to_regclass('async_triggers.events_' || to_char((now() AT TIME ZONE"
                        " 'UTC')::date + 1, 'YYYYMMDD')) IS NOT NULL")
                  .text(0, 0),
              "t");
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
}

} // namespace
} // namespace pgat
