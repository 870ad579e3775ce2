// What the endpoint says of a stream, before, in and after an outage.
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
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
    // What is served, by the names of the families.
    std::set<std::string> names() const {
        std::set<std::string> names;
        std::istringstream page(support::http_get(port, "/metrics").body);
        for (std::string line; std::getline(page, line);)
            if (line.starts_with("# TYPE ")) names.insert(line.substr(7, line.find(' ', 7) - 7));
        return names;
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
    EXPECT_TRUE(becomes("ready", "1"));
    EXPECT_EQ(metric("failover_since_timestamp_seconds").substr(0, 12),
              site.row("extract(epoch from failover_since)").substr(0, 12))
        << "the row knows since when, not the daemon that has just started";
    site.insert_items(12, 20);
    site.give_sink_back();
    EXPECT_TRUE(becomes("failover", "0"));
    EXPECT_EQ(metric("events_delivered_total"), "10");
    EXPECT_EQ(metric("events_replayed_total"), "10") << "all of them were replayed";
    EXPECT_EQ(metric("failover_since_timestamp_seconds"), "0");
    EXPECT_EQ(metric("failovers_total"), "1");
    EXPECT_GT(std::stod(metric("failover_seconds_total")), 0);
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

TEST_F(Metrics, TellHowLongCallsTakeHowManyEventsTheyCarryAndWhatWaits) {
    Daemon daemon(configuration, environment());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 10);
    EXPECT_TRUE(becomes("events_delivered_total", "10"));
    EXPECT_EQ(metric("publish_duration_seconds_count"), metric("sink_calls_total"));
    EXPECT_EQ(metric("batch_events_sum"), "10");
    EXPECT_GT(std::stod(metric("delivery_delay_seconds_sum")), 0);
    EXPECT_TRUE(becomes("lag_seconds", "0"));
    EXPECT_EQ(metric("queue_limit_events"), "4000");

    site.receiver.answer_with(503);
    site.insert_items(11, 13);
    EXPECT_TRUE(becomes("events_waiting", "3")) << daemon.err();
    EXPECT_TRUE(eventually([&] { return std::stod(metric("lag_seconds")) > 1; }));
    site.receiver.answer_with(422);
    EXPECT_TRUE(becomes("events_rejected_total", "3"));
    EXPECT_TRUE(becomes("dead_letters", "3")) << "as the database says";
    EXPECT_TRUE(becomes("oldest_undelivered_event_age_seconds", "0"));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Metrics, TellOfASubscriptionWhoseColumnHasGoneAndOfADayWithoutAPartition) {
    Daemon daemon(configuration, environment());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    EXPECT_TRUE(becomes("subscription_problems", "0"));
    EXPECT_TRUE(becomes("partitions_ahead", "3"));
    site.exec("ALTER TABLE public.items DROP COLUMN id");
    site.exec("DO $$ BEGIN EXECUTE format('DROP TABLE async_triggers.events_%s', "
              "to_char((now() AT TIME ZONE 'UTC')::date + 1, 'YYYYMMDD')); END $$");
    EXPECT_TRUE(becomes("subscription_problems", "1"));
    EXPECT_TRUE(becomes("partitions_ahead", "0"));
    EXPECT_EQ(metric("partitions_missing"), "1");
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Metrics, StandEachInTheTableOfTheDocumentationAndNoOther) {
    site.cluster().set("max_slot_wal_keep_size", "1GB");
    site.exec("SELECT pg_reload_conf()");
    Daemon daemon(configuration, environment());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    ASSERT_TRUE(eventually([&] { return !metric("slot_safe_wal_size_bytes").empty(); }));
    const auto served = names();
    std::ifstream file(std::string(std::getenv("PGAT_SOURCE_DIR")) + "/docs/operations.md");
    std::set<std::string> documented;
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("| `async_triggers_")) continue;
        const std::string names = line.substr(0, line.find('|', 1));
        for (auto at = names.find('`'); at != names.npos; at = names.find('`', at + 1)) {
            const auto end = names.find('`', at + 1);
            documented.insert(names.substr(at + 1, end - at - 1));
            at = end;
        }
    }
    EXPECT_EQ(documented.erase("async_triggers_sink_…"), 1U);
    for (const auto &name : served)
        EXPECT_TRUE(documented.contains(name) || (name.starts_with("async_triggers_sink_") &&
                                                  !name.starts_with("async_triggers_sink_calls")))
            << name << " is served and not documented";
    for (const auto &name : documented)
        EXPECT_TRUE(served.contains(name)) << name << " is documented and not served";
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace
} // namespace pgat
