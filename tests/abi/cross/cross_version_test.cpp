// One host, and plugins built against other versions of the interface. Built twice: as today's host, and
// against a made-up next header as the host of tomorrow (PGAT_MADE_UP).
#include <filesystem>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "sinks/plugin.hpp"
#include "sinks/plugin_sink.hpp"

namespace pgat::sinks {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Verdicts = std::vector<Verdict>;

// Folders of sample.so and plain.so, named as the header they were built against; "next" is made up.
const std::filesystem::path built = PGAT_CROSS_PLUGINS;

std::vector<std::string> versions() {
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(built))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

class APlugin : public testing::TestWithParam<std::string> {
  protected:
    const Plugin &load(const std::string &type) const {
        return load_plugin_file(built / GetParam() / (type + ".so"));
    }
    void publish(PluginSink &sink, const std::vector<std::string> &metadata) {
        std::vector<OutgoingEvent> events(metadata.size());
        for (std::size_t i = 0; i < events.size(); ++i) {
            events[i].id = "7-8-9";
            events[i].key = i == 0 ? "first" : "other";
            events[i].attempt = 2;
            events[i].payload = R"({"a": 1234567890123456789012345678901.50})";
            events[i].metadata = metadata[i];
            events[i].stream = StreamId(-4);
            events[i].xid = Xid(5000000000);
            events[i].commit_lsn = Lsn(17);
            events[i].created_at = Timestamp(1700000000000000);
        }
        sink.publish(events, steady_clock::now() + std::chrono::seconds(60), outcomes);
    }

    Metrics metrics;
    Outcomes outcomes;
};

TEST_P(APlugin, IsLoadedAndListedWithItsOwnVersion) {
    const Plugin &plugin = load("sample");
    EXPECT_EQ(plugin.type, "sample");
    EXPECT_EQ(plugin.max_batch, 3U);
    if (GetParam() != "next" && GetParam() != "today") {
        EXPECT_EQ(plugin.abi(), GetParam());
    }
}

TEST_P(APlugin, SeesEveryMemberAndAsksForThoseThatCameLater) {
    PluginSink sink(load("sample"), {{"greeting", "hi"}, {"limit", 5}, {"list", {1, "two"}}},
                    metrics);
    publish(sink, {R"({"do": "describe"})"});
    ASSERT_EQ(outcomes.verdicts, Verdicts{Verdict::rejected}) << outcomes.reason;
#ifdef PGAT_MADE_UP
    const std::string from_next = " host batch event";
#else
    const std::string from_next = " nothing";
#endif
    EXPECT_EQ(outcomes.reasons[0].text,
              "hi 5 1;two; 7-8-9 first 2 -4 5000000000 17 1700000000000000 1 in time" +
                  (GetParam() == "next" ? from_next : " not asked"));
}

TEST_P(APlugin, GivesEveryVerdictToEventsThatAreAsLongAsTheHostMakesThem) {
    PluginSink sink(load("sample"), nlohmann::json::object(), metrics);
    publish(sink, {R"({"do": "render"})", R"({"do": "deliver"})", R"({"do": "retry"})", "{}"});
    EXPECT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    EXPECT_EQ(outcomes.verdicts, (Verdicts{Verdict::rejected, Verdict::delivered, Verdict::retry,
                                           Verdict::not_attempted}));
    ASSERT_EQ(outcomes.reasons.size(), 2U);
    EXPECT_EQ(outcomes.reasons[0].text, "1234567890123456789012345678901.50 and render");
    EXPECT_EQ(outcomes.reasons[1].text, "later");
    EXPECT_EQ(outcomes.reasons[1].retry_after, milliseconds(1500));
    ASSERT_EQ(metrics.counters().size(), 1U);
    EXPECT_EQ(metrics.counters()[0].value, 3U);
    ASSERT_EQ(metrics.gauges().size(), 1U);
    EXPECT_EQ(metrics.gauges()[0].value, 3.0);
}

TEST_P(APlugin, FailsInEveryWay) {
    PluginSink sink(load("sample"), nlohmann::json::object(), metrics);
    publish(sink, {"{}", R"({"do": "unavailable"})"});
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.reason, "nobody there");
    EXPECT_EQ(outcomes.retry_after, milliseconds(2000));
    EXPECT_EQ(outcomes.verdicts, (Verdicts{Verdict::delivered, Verdict::not_attempted}));
    publish(sink, {R"({"do": "throw"})"});
    EXPECT_EQ(outcomes.status, Status::broken);
    EXPECT_EQ(outcomes.reason, "thrown");
    std::string reason;
    milliseconds after{0};
    EXPECT_EQ(sink.probe(steady_clock::now() + std::chrono::seconds(60), reason, after),
              Status::ok);
    EXPECT_EQ(sink.probe(steady_clock::time_point::max(), reason, after), Status::unavailable);
    try {
        const PluginSink refused(load("sample"), {{"greeting", "refuse me"}}, metrics);
        FAIL() << "it was made";
    } catch (const Error &error) {
        EXPECT_EQ(error.remedy(), Remedy::configure);
        EXPECT_STREQ(error.what(), "sink sample: greeting: refused");
    }
}

TEST_P(APlugin, InPlainCWorksLikewise) {
    PluginSink sink(load("plain"), nlohmann::json::object(), metrics);
    publish(sink, {"{}", "{}"});
    EXPECT_EQ(outcomes.verdicts, (Verdicts{Verdict::delivered, Verdict::delivered}));
}

INSTANTIATE_TEST_SUITE_P(BuiltAgainst, APlugin, testing::ValuesIn(versions()),
                         [](const auto &version) {
                             std::string name = version.param;
                             std::replace(name.begin(), name.end(), '.', '_');
                             return name;
                         });

// The folders are those of the build; none may be missing unseen.
TEST(CrossVersion, HasPluginsOfReleasedHeadersOfTodayAndOfTomorrow) {
    const auto names = versions();
    EXPECT_GE(names.size(), 3U);
    for (const std::string name : {"1.0", "next", "today"})
        EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
#ifdef PGAT_MADE_UP
    EXPECT_GT(sizeof(pgat_event), offsetof(pgat_event, created_at_us) + 8);
#endif
}

} // namespace
} // namespace pgat::sinks
