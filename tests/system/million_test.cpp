// One transaction of a million events: through in constant memory, whole after a kill in the middle.
#include <csignal>

#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::Daemon;
using support::Site;

constexpr auto print = support::printing_sink;
constexpr std::int64_t million = 1'000'000;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::int64_t events = million / 10;
constexpr std::size_t memory_limit = SIZE_MAX; // the sanitizer's own is many times that
#else
constexpr std::int64_t events = million;
constexpr std::size_t memory_limit = 60U << 20;
#endif

std::size_t missing(const std::vector<bool> &seen) {
    std::size_t count = 0;
    for (std::int64_t i = 1; i <= events; ++i)
        count += seen[static_cast<std::size_t>(i)] ? 0U : 1U;
    return count;
}

void mark(std::vector<bool> &seen, const std::string &lines) {
    for (const auto id : support::item_ids(lines))
        seen[static_cast<std::size_t>(id)] = true;
}

TEST(AMillionEventsInOneTransaction, PassTheMemorySinkWithinSixtyMegabytes) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    Daemon daemon(site.configure(print));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, events);
    ASSERT_TRUE(daemon.wait_for_out_lines(static_cast<std::size_t>(events), 240s)) << daemon.err();
    EXPECT_LT(daemon.peak_resident(), memory_limit);
    RecordProperty("peak_resident_kb", static_cast<int>(daemon.peak_resident() / 1024));
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    std::vector<bool> seen(static_cast<std::size_t>(events) + 1);
    mark(seen, daemon.out());
    EXPECT_EQ(missing(seen), 0U);
    EXPECT_EQ(daemon.out_lines(), static_cast<std::size_t>(events));
}

TEST(AMillionEventsInOneTransaction, AreAllDeliveredThoughTheDaemonIsKilledInTheMiddle) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    std::vector<bool> seen(static_cast<std::size_t>(events) + 1);
    {
        Daemon daemon(site.configure(print));
        daemon.read_out_lines_up_to(static_cast<std::size_t>(events) / 3);
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        site.insert_items(1, events);
        ASSERT_TRUE(daemon.wait_for_out_lines(static_cast<std::size_t>(events) / 3, 240s))
            << daemon.err();
        daemon.signal(SIGKILL);
        daemon.wait();
        daemon.read_out_lines_up_to(SIZE_MAX);
        daemon.wait_for_end_of_output();
        mark(seen, daemon.out());
    }
    Daemon daemon(site.configure(print));
    const auto rest = missing(seen);
    EXPECT_GT(rest, 0U);
    ASSERT_TRUE(daemon.wait_for_out_lines(rest, 240s)) << daemon.err();
    ASSERT_TRUE(daemon.wait_until_streaming(240s)) << daemon.err();
    EXPECT_LT(daemon.peak_resident(), memory_limit);
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    mark(seen, daemon.out());
    EXPECT_EQ(missing(seen), 0U);
}

} // namespace
} // namespace pgat
