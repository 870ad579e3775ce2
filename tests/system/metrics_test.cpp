// What the endpoint says of a stream, before, in and after an outage.
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "support/http_get.hpp"
#include "system/outage_site.hpp"

namespace pgat {
namespace {

using support::Daemon;
using support::eventually;

std::filesystem::path source(const std::string &file) {
    return std::filesystem::path(std::getenv("PGAT_SOURCE_DIR")) / file;
}

std::string text_of(const std::string &file) {
    std::ifstream in(source(file));
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// Every async_triggers_… in a text; of a histogram the name of its family.
std::set<std::string> metrics_named_in(const std::string &text) {
    static constexpr auto letters = "abcdefghijklmnopqrstuvwxyz_";
    std::set<std::string> names;
    for (auto at = text.find("async_triggers_"); at != text.npos;) {
        const auto end = std::min(text.find_first_not_of(letters, at), text.size());
        std::string name = text.substr(at, end - at);
        for (const char *part : {"_bucket", "_sum", "_count"})
            if (name.ends_with(part)) name.resize(name.size() - std::string_view(part).size());
        // Objects of the database are named so, too; "async_triggers_<" and such are no names.
        if (!name.ends_with('_') && name != "async_triggers_stream") names.insert(name);
        at = text.find("async_triggers_", end);
    }
    return names;
}

class Metrics : public testing::Test {
  protected:
    const int port = support::free_port();
    OutageSite site;
    const std::filesystem::path configuration = site.configuration();

    // With its endpoint on `port`.
    std::map<std::string, std::string> environment() const {
        return {{"ASYNC_TRIGGERS_OBSERVABILITY__LISTEN", "127.0.0.1:" + std::to_string(port)}};
    }
    std::string metric(const std::string &name) const {
        return support::metric(port, name, site.stream());
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
    EXPECT_GT(std::stod(metric("sink_unanswered_total")), 0)
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
    for (const char *once : {"# TYPE async_triggers_sink_kept_events gauge\n",
                             "# TYPE async_triggers_sink_payload_bytes_total counter\n"})
        EXPECT_EQ(support::occurrences(page, once), 1U) << once << page;
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
    std::ifstream file(source("docs/operations.md"));
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
    for (const char *place :
         {"packaging/grafana/dashboard.json", "packaging/prometheus/alerts.yaml", "docs/alerts.md",
          "docs/operations.md"}) {
        const auto named = metrics_named_in(text_of(place));
        EXPECT_FALSE(named.empty()) << place;
        for (const auto &name : named)
            EXPECT_TRUE(served.contains(name)) << name << " in " << place << " is not served";
    }
    EXPECT_EQ(daemon.stop(), 0);
}

TEST(Alerts, AreReadableAndEachHasASectionThatSaysWhatToDo) {
    const auto documentation = text_of("docs/alerts.md");
    std::set<std::string> alerts;
    for (const auto &group : YAML::Load(text_of("packaging/prometheus/alerts.yaml"))["groups"])
        for (const auto &rule : group["rules"]) {
            const auto name = rule["alert"].as<std::string>();
            alerts.insert(name);
            EXPECT_NE(documentation.find("\n## " + name + "\n"), std::string::npos) << name;
            std::string anchor = name;
            for (char &letter : anchor)
                letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
            EXPECT_EQ(rule["annotations"]["runbook"].as<std::string>(), "docs/alerts.md#" + anchor);
        }
    EXPECT_GT(alerts.size(), 10U);
    for (auto at = documentation.find("\n## "); at != documentation.npos;
         at = documentation.find("\n## ", at + 1))
        EXPECT_TRUE(alerts.contains(
            documentation.substr(at + 4, documentation.find('\n', at + 4) - at - 4)))
            << "a section without an alert";
}

TEST(Dashboard, IsOneThatGrafanaReads) {
    const auto dashboard = nlohmann::json::parse(text_of("packaging/grafana/dashboard.json"));
    EXPECT_FALSE(dashboard["title"].get<std::string>().empty());
    std::set<int> ids;
    for (const auto &panel : dashboard["panels"]) {
        EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second) << panel["title"];
        for (const auto &target : panel["targets"])
            EXPECT_NE(target["expr"].get<std::string>().find("async_triggers_"), std::string::npos);
    }
    EXPECT_GT(ids.size(), 10U);
}

} // namespace
} // namespace pgat
