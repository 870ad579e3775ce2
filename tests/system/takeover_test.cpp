// A second daemon on the same stream stands by, and takes over from one that is gone.
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
using support::printing_sink;
using support::Site;

TEST(Takeover, OfADaemonThatWasKilledTakesSeconds) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    const auto configuration = site.configure(printing_sink);
    Daemon first(configuration);
    ASSERT_TRUE(first.wait_until_streaming()) << first.err();
    Daemon second(configuration);
    ASSERT_TRUE(second.wait_for_err("standing by")) << second.err();
    site.insert_items(1, 100);
    ASSERT_TRUE(first.wait_for_out_lines(100)) << first.err();
    EXPECT_EQ(second.out_lines(), 0U);
    first.signal(SIGKILL);
    const auto killed = std::chrono::steady_clock::now();
    ASSERT_TRUE(second.wait_until_streaming()) << second.err();
    EXPECT_LT(std::chrono::steady_clock::now() - killed, 4s);
    site.insert_items(101, 200);
    ASSERT_TRUE(eventually([&] {
        const auto ids = support::item_ids(second.out());
        return !ids.empty() && ids.back() == 200;
    })) << second.err();
    EXPECT_EQ(second.stop(), 0);
    first.wait();
    first.wait_for_end_of_output();
    auto all = support::item_ids(first.out());
    const auto rest = support::item_ids(second.out());
    all.insert(all.end(), rest.begin(), rest.end());
    EXPECT_EQ(support::once_each(all), numbers(1, 200));
}

} // namespace
} // namespace pgat
