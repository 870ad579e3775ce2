// The status page in a real browser, headless: what a person would read there. Without chromium it is skipped, and says so.
#include <filesystem>
#include <map>

#include <gtest/gtest.h>

#include "support/http_get.hpp"
#include "support/process.hpp"
#include "support/temporary_folder.hpp"
#include "system/outage_site.hpp"

namespace pgat {
namespace {

using support::Daemon;
using support::eventually;

constexpr auto no_browser =
    "THE STATUS PAGE IS NOT TESTED: no chromium here (packaging/apt/install test)";

std::string browser() {
    for (const char *path : {"/usr/bin/chromium", "/usr/bin/chromium-browser"})
        if (std::filesystem::exists(path)) return path;
    return "";
}

// What is between the element's tags, without tags of its own.
std::string text_of(const std::string &dom, const std::string &id) {
    auto at = dom.find("id=\"" + id + "\"");
    if (at == dom.npos) return "";
    at = dom.find('>', at) + 1;
    return dom.substr(at, dom.find('<', at) - at);
}

class StatusPage : public testing::Test {
  protected:
    void SetUp() override {
        if (browser().empty()) GTEST_SKIP() << no_browser;
    }
    std::map<std::string, std::string> environment() const {
        return {{"ASYNC_TRIGGERS_OBSERVABILITY__LISTEN", "127.0.0.1:" + std::to_string(port)}};
    }
    bool becomes_healthy() const {
        return eventually([&] {
            const auto status = support::http_get(port, "/status").body;
            return status.find("\"state\":\"streaming\",\"healthy\":true,\"findings\":[]") !=
                   std::string::npos;
        });
    }
    // The page as it is after some of its rounds; its console must have stayed silent.
    std::string dom() const {
        const support::TemporaryFolder profile("chromium");
        support::Process chromium(
            {browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
             "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--disable-dev-shm-usage", "--enable-logging=stderr",
             "--user-data-dir=" + profile.path().string(), "--window-size=360,800",
             "--virtual-time-budget=5000", "--dump-dom",
             "http://127.0.0.1:" + std::to_string(port) + "/"});
        EXPECT_EQ(chromium.wait(std::chrono::seconds(60)), 0) << chromium.err();
        chromium.wait_for_end_of_output();
        EXPECT_EQ(chromium.err().find("CONSOLE"), std::string::npos) << chromium.err();
        return chromium.out();
    }

    const int port = support::free_port();
    OutageSite site;
    const std::filesystem::path configuration = site.configuration();
};

TEST_F(StatusPage, SaysThatTheSinkIsDownAndWhyAndThatItIsBack) {
    Daemon daemon(configuration, environment());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 5);
    ASSERT_TRUE(becomes_healthy()) << support::http_get(port, "/status").body;
    auto page = dom();
    EXPECT_NE(page.find("data-state=\"streaming\""), std::string::npos) << page;
    EXPECT_EQ(text_of(page, "headline"), "Streaming") << page;

    site.lose_sink(6);
    ASSERT_TRUE(eventually([&] {
        return support::http_get(port, "/status").body.find("sink_down") != std::string::npos;
    }));
    page = dom();
    EXPECT_NE(page.find("data-state=\"failover\""), std::string::npos);
    EXPECT_EQ(text_of(page, "headline"), "The sink is down");
    EXPECT_NE(page.find("127.0.0.1:" + std::to_string(site.receiver.port())), std::string::npos)
        << "names the sink";
    EXPECT_NE(page.find("What to do"), std::string::npos);

    site.give_sink_back();
    ASSERT_TRUE(becomes_healthy()) << support::http_get(port, "/status").body;
    EXPECT_EQ(text_of(dom(), "headline"), "Streaming");
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(StatusPage, ShowsWhatASinkSaysAsTextAndNeverAsMarkup) {
    Daemon daemon(configuration, environment());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.receiver.answer_with([](const auto &) {
        return support::HttpAnswer{422, "<img src=x onerror=console.error(1)>", {}};
    });
    site.insert_items(1, 1);
    ASSERT_TRUE(eventually([&] {
        return support::http_get(port, "/status").body.find("onerror") != std::string::npos;
    })) << support::http_get(port, "/status").body;
    const auto page = dom();
    EXPECT_NE(page.find("&lt;img src=x"), std::string::npos) << page;
    EXPECT_EQ(page.find("<img"), std::string::npos);
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace
} // namespace pgat
