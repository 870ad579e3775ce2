// A replay of several hundred thousand events that is cut short goes on where it was, in constant memory.
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
using support::numbers;
using support::Site;

constexpr auto print = support::printing_sink;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::int64_t events = 60'000;
constexpr std::size_t memory_limit = SIZE_MAX; // the sanitizer's own is many times that
#else
constexpr std::int64_t events = 300'000;
constexpr std::size_t memory_limit = 60U << 20;
#endif

class ALargeReplay : public testing::Test {
  protected:
    // All written before the first start; an event's id is that of its item, too.
    ALargeReplay() : site(Cluster::shared()) {
        site.subscribe_to_items();
        site.exec("INSERT INTO async_triggers.events (stream_id, payload)"
                  " SELECT $1, jsonb_build_object('new', jsonb_build_object('id', i))"
                  " FROM generate_series(1, $2::bigint) i",
                  {site.stream(), events});
    }
    // How far the round has come, as the row has it; 0: nowhere yet.
    std::int64_t stored() {
        return site
            .exec("SELECT coalesce(max(cursor_round_id), 0) FROM async_triggers.streams WHERE id ="
                  " $1",
                  {site.stream()})
            .integer(0, 0);
    }
    // Reads on and on until the round is in the row; the daemon cannot be much further ahead than that.
    bool read_until_something_is_stored(Daemon &daemon) {
        std::size_t lines = 0;
        return eventually([&] {
            if (stored() > 0) return true;
            daemon.read_out_lines_up_to(lines += 500);
            daemon.wait_for_out_lines(lines);
            return false;
        });
    }

    Site site;
};

TEST_F(ALargeReplay, GoesOnWhereItWasAfterACleanStop) {
    std::vector<std::int64_t> delivered;
    {
        Daemon daemon(site.configure(print));
        daemon.read_out_lines_up_to(events / 3);
        ASSERT_TRUE(daemon.wait_for_out_lines(events / 3, 60s)) << daemon.err();
        daemon.signal(SIGTERM);
        // It stands before a full pipe, and may finish the batch in hand.
        ASSERT_TRUE(daemon.wait_for_err("stopping"));
        daemon.read_out_lines_up_to(SIZE_MAX);
        EXPECT_EQ(daemon.wait(), 0) << daemon.err();
        daemon.wait_for_end_of_output();
        delivered = support::item_ids(daemon.out());
        EXPECT_LT(delivered.size(), static_cast<std::size_t>(events));
        EXPECT_EQ(stored(), delivered.back());
    }
    Daemon daemon(site.configure(print));
    ASSERT_TRUE(
        daemon.wait_for_out_lines(static_cast<std::size_t>(events) - delivered.size(), 120s))
        << daemon.err();
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    EXPECT_LT(daemon.peak_resident(), memory_limit);
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    const auto rest = support::item_ids(daemon.out());
    delivered.insert(delivered.end(), rest.begin(), rest.end());
    EXPECT_EQ(delivered, numbers(1, events));
}

TEST_F(ALargeReplay, GoesOnAfterACrashWhereTheRowSays) {
    std::vector<std::int64_t> before;
    {
        Daemon daemon(site.configure(print));
        daemon.read_out_lines_up_to(0);
        ASSERT_TRUE(read_until_something_is_stored(daemon)) << daemon.err();
        daemon.signal(SIGKILL);
        daemon.wait();
        daemon.read_out_lines_up_to(SIZE_MAX);
        daemon.wait_for_end_of_output();
        before = support::item_ids(daemon.out());
    }
    // The server may still have been at the last write of the row.
    ASSERT_TRUE(eventually([&] {
        return site.exec("SELECT count(*) FROM pg_stat_activity WHERE backend_type ="
                         " 'client backend' AND starts_with(application_name, $1)",
                         {"async_triggers_" + std::to_string(site.stream()) + "_"})
                   .integer(0, 0) == 0;
    }));
    const auto round = stored();
    ASSERT_GT(round, 0);
    EXPECT_EQ(before, numbers(1, static_cast<std::int64_t>(before.size())));
    EXPECT_LE(round, before.back());
    EXPECT_LT(before.back(), events) << "it was through already: this test shows nothing";
    Daemon daemon(site.configure(print));
    ASSERT_TRUE(daemon.wait_for_out_lines(static_cast<std::size_t>(events - round), 120s))
        << daemon.err();
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    EXPECT_LT(daemon.peak_resident(), memory_limit);
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(support::item_ids(daemon.out()), numbers(round + 1, events));
}

} // namespace
} // namespace pgat
