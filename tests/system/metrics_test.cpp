// What the endpoint says of a stream, before, in and after an outage.
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "support/http_get.hpp"
#include "system/outage_site.hpp"

namespace pgat {
namespace {

using support::Daemon;
using support::eventually;

class Metrics : public testing::Test {
  protected:
    const int port = support::free_port();
    OutageSite site;
    const std::filesystem::path configuration = site.configuration();

    // With its endpoint on `port`.
    std::map<std::string, std::string> environment() const {
        return {{"ASYNC_TRIGGERS_OBSERVABILITY__LISTEN", "127.0.0.1:" + std::to_string(port)}};
    }
    // The value of the metric for the stream; "": it is not there.
    std::string metric(const std::string &name) const {
        const auto start =
            "async_triggers_" + name + "{stream=\"" + std::to_string(site.stream()) + "\"} ";
        std::istringstream page(support::http_get(port, "/metrics").body);
        for (std::string line; std::getline(page, line);)
            if (line.starts_with(start)) return line.substr(start.size());
        return "";
    }
    bool becomes(const std::string &name, const std::string &value) const {
        return eventually([&] { return metric(name) == value; });
    }
};

TEST_F(Metrics, SayFailoverInAnOutageAlsoAfterARestartAndCountWhatIsReplayed) {
    {
        Daemon daemon(configuration, environment());
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        EXPECT_EQ(metric("failover"), "0");
        site.insert_items(1, 10);
        EXPECT_TRUE(becomes("events_delivered_total", "10"));
        site.lose_sink(11);
        EXPECT_EQ(metric("failover"), "1");
        EXPECT_NE(metric("sink_calls_failed_total"), "0");
        EXPECT_EQ(daemon.stop(), 0);
    }
    Daemon daemon(configuration, environment());
    ASSERT_TRUE(daemon.wait_for_err("stream taken")) << daemon.err();
    EXPECT_TRUE(becomes("failover", "1")) << daemon.err();
    site.insert_items(12, 20);
    site.give_sink_back();
    EXPECT_TRUE(becomes("failover", "0"));
    EXPECT_EQ(metric("events_delivered_total"), "10") << "all of them were replayed";
    EXPECT_EQ(metric("oldest_undelivered_timestamp_seconds"), "0");
    EXPECT_EQ(metric("sink_unanswered_total"), metric("sink_calls_failed_total"))
        << "the plugin's own counters are there, too";
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Metrics, ShowTheCountersAndGaugesOfThePlugin) {
    Daemon daemon(site.configure("  type: memory\n  capacity: 7\n"), environment());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    EXPECT_EQ(metric("sink_kept_events"), "0");
    site.insert_items(1, 10);
    EXPECT_TRUE(becomes("sink_kept_events", "7"));
    EXPECT_NE(metric("sink_payload_bytes_total"), "0");
    const std::string page = support::http_get(port, "/metrics").body;
    EXPECT_NE(page.find("# TYPE async_triggers_sink_kept_events gauge\n"), std::string::npos);
    EXPECT_NE(page.find("# TYPE async_triggers_sink_payload_bytes_total counter\n"),
              std::string::npos);
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace
} // namespace pgat
