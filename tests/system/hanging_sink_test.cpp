// A plugin that does not return: the daemon says so wherever it is asked, keeps what it has, and ends all the same.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/http_get.hpp"
#include "support/waiting.hpp"
#include "system/unruly_site.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Daemon;
using support::eventually;
using support::numbers;

class HangingSink : public testing::Test {
  protected:
    const int port = support::free_port();
    UnrulySite site;
    // Short, so that a hang is one after two seconds.
    const std::string limits = "  call_timeout_secs: 1\n  shutdown_timeout_secs: 2\n";

    std::map<std::string, std::string> environment() const {
        return {{"ASYNC_TRIGGERS_OBSERVABILITY__LISTEN", "127.0.0.1:" + std::to_string(port)}};
    }
    support::HttpGot health() const { return support::http_get(port, "/healthz"); }
    std::string metric(const std::string &name) const {
        return support::metric(port, name, site.stream());
    }
};

// While the call that hangs may still deliver, nobody else does.
TEST_F(HangingSink, InPublishIsNamedEverywhereAndAllElseGoesOnAndNoStandbyTakesOver) {
    Daemon daemon(site.configuration(limits), environment());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    EXPECT_EQ(health().status, 200);
    EXPECT_EQ(health().body, "ok\n");
    EXPECT_EQ(metric("sink_calls_hung"), "0");
    EXPECT_EQ(metric("sink_calls_running_seconds"), "0");
    const auto walsender = site.walsender();
    Daemon standby(site.configuration(limits));
    ASSERT_TRUE(standby.wait_for_err("standing by")) << standby.err();
    std::ofstream(site.while_there()) << "";
    site.write({1, 2});
    site.write(3, "hang_while");
    site.write({4, 5});
    ASSERT_TRUE(daemon.wait_for_err("the sink hangs")) << daemon.err();
    EXPECT_NE(
        daemon.err().find("the sink hangs: unruly.so has not returned from publish() for 2 s"),
        std::string::npos)
        << daemon.err();
    EXPECT_EQ(health().status, 503);
    EXPECT_TRUE(health().body.starts_with("unruly.so has not returned from publish() for "))
        << health().body;
    EXPECT_EQ(metric("sink_calls_hung"), "1");
    EXPECT_GE(std::stod(metric("sink_calls_running_seconds")), 2);
    // Longer than the server waits for a word of ours.
    ASSERT_TRUE(eventually([&] { return std::stod(metric("sink_calls_running_seconds")) > 8; }));
    EXPECT_EQ(site.walsender(), walsender) << "the same session serves the slot";
    EXPECT_EQ(support::occurrences(daemon.err(), "the sink hangs"), 1U) << daemon.err();
    EXPECT_EQ(standby.err().find("stream taken"), std::string::npos) << standby.err();

    std::filesystem::remove(site.while_there());
    ASSERT_TRUE(daemon.wait_for_err("the sink has returned after all")) << daemon.err();
    ASSERT_TRUE(site.delivers(5)) << daemon.err();
    EXPECT_EQ(health().status, 200);
    EXPECT_EQ(metric("sink_calls_hung"), "0");
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(site.delivered(), numbers(1, 5));
}

TEST_F(HangingSink, InPublishHoldsNoShutdownAndLosesNothing) {
    {
        Daemon daemon(site.configuration(limits));
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        site.write({1, 2});
        ASSERT_TRUE(site.delivers(2)) << daemon.err();
        std::ofstream(site.while_there()) << "";
        site.write(3, "hang_while");
        site.write(4);
        ASSERT_TRUE(daemon.wait_for_err("hanging")) << daemon.err();
        const auto told = std::chrono::steady_clock::now();
        EXPECT_EQ(daemon.stop(), 1) << daemon.err();
        EXPECT_LT(std::chrono::steady_clock::now() - told, 7s) << "of the two seconds that it has";
        EXPECT_NE(daemon.err().find("unruly.so has not returned from publish() for "),
                  std::string::npos)
            << daemon.err();
        EXPECT_NE(daemon.err().find("and is left behind"), std::string::npos) << daemon.err();
    }
    std::filesystem::remove(site.while_there());
    Daemon next(site.configuration(limits));
    ASSERT_TRUE(eventually([&] { return site.delivered_once() == numbers(1, 4); })) << next.err();
    EXPECT_EQ(next.stop(), 0) << next.err();
}

TEST_F(HangingSink, InCreateIsNamedAndHoldsNoShutdown) {
    site.sink_option("create", "hang");
    Daemon daemon(site.configuration(limits), environment());
    ASSERT_TRUE(daemon.wait_for_err("the sink hangs: unruly.so has not returned from create()"))
        << daemon.err();
    EXPECT_EQ(health().status, 503);
    EXPECT_EQ(daemon.stop(), 1) << daemon.err();
}

TEST_F(HangingSink, InProbeIsNamed) {
    site.sink_option("probe", "hang");
    Daemon daemon(site.configuration(limits), environment());
    ASSERT_TRUE(daemon.wait_for_err("the sink hangs: unruly.so has not returned from probe()"))
        << daemon.err();
    EXPECT_EQ(health().status, 503);
    EXPECT_EQ(daemon.stop(), 1) << daemon.err();
}

TEST_F(HangingSink, InDestroyHoldsNoShutdownAndNothingComesAgain) {
    site.sink_option("destroy", "hang");
    {
        Daemon daemon(site.configuration(limits));
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        site.write({1, 2});
        ASSERT_TRUE(site.delivers(2)) << daemon.err();
        EXPECT_EQ(daemon.stop(), 1) << daemon.err();
        EXPECT_NE(daemon.err().find("has not returned from destroy()"), std::string::npos)
            << daemon.err();
        EXPECT_NE(daemon.err().find("the cursor is stored, nothing is lost or comes again"),
                  std::string::npos)
            << daemon.err();
    }
    site.sink_option("destroy", "");
    Daemon next(site.configuration(limits));
    ASSERT_TRUE(next.wait_until_streaming()) << next.err();
    site.write(3);
    ASSERT_TRUE(site.delivers(3)) << next.err();
    EXPECT_EQ(next.stop(), 0) << next.err();
    EXPECT_EQ(site.delivered(), numbers(1, 3));
}

} // namespace
} // namespace pgat
