// SIGTERM while a plugin has a batch: it is let finish, then told to return, then left behind.
#include <chrono>
#include <csignal>

#include <gtest/gtest.h>

#include "support/daemon.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::Daemon;
using support::Site;

// A plugin that does with an event as its payload tells.
std::filesystem::path configure_scripted(Site &site) {
    const auto zoo = support::program().parent_path().parent_path() / "zoo";
    return site.configure("  type: scripted\nplugins:\n  directory: " + zoo.string() + "\n",
                          "  shutdown_timeout_secs: 3\n");
}

// An event as an application writes it.
void write_event(Site &site, const std::string &payload) {
    site.exec("INSERT INTO async_triggers.events (stream_id, payload) VALUES ($1, $2)",
              {site.stream(), payload});
}

TEST(Shutdown, LeavesAPluginBehindThatNeverReturns) {
    Site site(Cluster::shared());
    {
        Daemon daemon(configure_scripted(site));
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        write_event(site, R"({"do": "hang"})");
        ASSERT_TRUE(daemon.wait_for_err("hanging")) << daemon.err();
        const auto told = std::chrono::steady_clock::now();
        daemon.signal(SIGTERM);
        EXPECT_EQ(daemon.wait(), 1) << daemon.err();
        // Of the three seconds that it has; ten are the default.
        EXPECT_LT(std::chrono::steady_clock::now() - told, 8s);
        daemon.wait_for_end_of_output();
        EXPECT_NE(daemon.err().find("left behind"), std::string::npos) << daemon.err();
    }
    Daemon next(site.configure(support::printing_sink));
    ASSERT_TRUE(next.wait_for_out("hang")) << next.err();
    EXPECT_EQ(next.stop(), 0) << next.err();
}

TEST(Shutdown, TellsAPluginToReturnAndThenEndsInOrder) {
    Site site(Cluster::shared());
    {
        Daemon daemon(configure_scripted(site));
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        write_event(site, R"({"do": "wait"})"); // for the word to return
        ASSERT_TRUE(daemon.wait_for_err("waiting")) << daemon.err();
        EXPECT_EQ(daemon.stop(), 0) << daemon.err();
        EXPECT_NE(daemon.err().find("the cursor is stored"), std::string::npos) << daemon.err();
    }
    Daemon next(site.configure(support::printing_sink));
    ASSERT_TRUE(next.wait_for_out("wait")) << next.err();
    EXPECT_EQ(next.stop(), 0) << next.err();
}

} // namespace
} // namespace pgat
