// PluginSink on real plugins: what becomes of good verdicts, and of everything a plugin may do wrong.
#include <csignal>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "base/error.hpp"
#include "sinks/plugin_sink.hpp"
#include "support/temporary_folder.hpp"

namespace pgat::sinks {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using support::TemporaryFolder;

const std::filesystem::path zoo = PGAT_ZOO;

const Plugin &scripted() { return load_plugin_file(zoo / "scripted.so"); }

bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != std::string::npos;
}

class PluginSinkTest : public testing::Test {
  protected:
    void SetUp() override {
        auto text = std::make_shared<spdlog::sinks::ostream_sink_mt>(log_text);
        before = spdlog::default_logger();
        spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", text));
        spdlog::default_logger()->set_level(spdlog::level::debug);
    }
    void TearDown() override { spdlog::set_default_logger(before); }

    void make(const nlohmann::json &settings = nlohmann::json::object()) {
        sink = std::make_unique<PluginSink>(scripted(), settings, metrics);
    }

    // Publishes an event a payload; `keys` beside them, where they matter.
    void publish(const std::vector<std::string> &payloads,
                 const std::vector<std::string> &keys = {}) {
        if (!sink) make();
        std::vector<OutgoingEvent> events(payloads.size());
        for (std::size_t i = 0; i < payloads.size(); ++i) {
            events[i].id = "7-8-9";
            events[i].payload = payloads[i];
            events[i].metadata = R"({"m": [1, "two\n", null]})";
            if (!keys.empty()) events[i].key = keys[i];
        }
        sink->publish(events, steady_clock::now() + std::chrono::seconds(20), outcomes);
        EXPECT_EQ(outcomes.verdicts.size(), payloads.size());
    }

    // What the plugin answers to one event, as the text of its rejection.
    std::string answer(const std::string &payload) {
        publish({payload});
        return outcomes.reasons.empty() ? "" : outcomes.reasons[0].text;
    }

    std::ostringstream log_text;
    std::shared_ptr<spdlog::logger> before;
    Metrics metrics;
    std::unique_ptr<PluginSink> sink;
    Outcomes outcomes;
};

constexpr auto delivered = Verdict::delivered;
constexpr auto retry = Verdict::retry;
constexpr auto rejected = Verdict::rejected;
constexpr auto untouched = Verdict::not_attempted;
using Verdicts = std::vector<Verdict>;

TEST_F(PluginSinkTest, GivesEachEventTheVerdictOfThePlugin) {
    publish({R"({"do": "deliver"})", R"({"do": "retry", "text": "busy"})",
             R"({"do": "reject", "text": "too large"})"});
    EXPECT_EQ(outcomes.status, Status::ok);
    EXPECT_EQ(outcomes.verdicts, (Verdicts{delivered, retry, rejected}));
    ASSERT_EQ(outcomes.reasons.size(), 2U);
    EXPECT_EQ(outcomes.reasons[0].index, 1U);
    EXPECT_EQ(outcomes.reasons[0].text, "busy");
    EXPECT_EQ(outcomes.reasons[0].retry_after, milliseconds(250));
    EXPECT_EQ(outcomes.reasons[1].text, "too large");
}

TEST_F(PluginSinkTest, HandsOverEveryMemberOfAnEvent) {
    make();
    OutgoingEvent event;
    event.attempt = 3;
    event.id = "7-8-9";
    event.key = "k";
    event.payload = R"({"do": "describe"})";
    event.stream = StreamId(-4);
    event.xid = Xid(5000000000);
    event.commit_lsn = Lsn(17);
    event.created_at = Timestamp(1700000000000000);
    sink->publish({&event, 1}, steady_clock::now() + std::chrono::seconds(20), outcomes);
    ASSERT_EQ(outcomes.reasons.size(), 1U);
    EXPECT_EQ(outcomes.reasons[0].text, "7-8-9 k 3 -4 5000000000 17 1700000000000000 1");
    sink->publish({&event, 1}, steady_clock::time_point::max(), outcomes);
    ASSERT_EQ(outcomes.reasons.size(), 1U);
    EXPECT_EQ(outcomes.reasons[0].text, "7-8-9 k 3 -4 5000000000 17 1700000000000000 0");
}

TEST_F(PluginSinkTest, ReadsAnUnknownVerdictAsRetry) {
    publish({R"({"do": "verdict", "text": "77"})"});
    EXPECT_EQ(outcomes.verdicts, Verdicts{retry});
}

TEST_F(PluginSinkTest, MapsTheStatusAndKeepsTheVerdictsGivenBefore) {
    const std::vector<std::pair<std::string, Status>> cases{
        {"2", Status::unavailable}, {"3", Status::cancelled}, {"4", Status::broken},
        {"1", Status::broken},      {"5", Status::broken},    {"99", Status::broken},
        {"-1", Status::broken}};
    for (const auto &[number, status] : cases) {
        publish({R"({"do": "deliver"})", R"({"do": "status", "text": ")" + number + R"("})",
                 R"({"do": "deliver"})"});
        EXPECT_EQ(outcomes.status, status) << number;
        EXPECT_EQ(outcomes.verdicts, (Verdicts{delivered, untouched, untouched}));
        EXPECT_TRUE(contains(outcomes.reason, "said by publish")) << outcomes.reason;
        EXPECT_EQ(outcomes.retry_after, milliseconds(700));
    }
}

TEST_F(PluginSinkTest, SaysSoWhenThePluginGaveNoReason) {
    publish({R"({"do": "status_alone", "text": "2"})"});
    EXPECT_EQ(outcomes.reason, "publish() returned status 2 and no reason");
    publish({R"({"do": "status_alone", "text": "99"})"});
    EXPECT_EQ(outcomes.reason, "publish() returned the unknown status 99");
}

TEST_F(PluginSinkTest, TakesAnOkAfterAFailureForBroken) {
    publish({R"({"do": "ok_but_failed"})"});
    EXPECT_EQ(outcomes.status, Status::broken);
    EXPECT_EQ(outcomes.verdicts, Verdicts{delivered});
}

TEST_F(PluginSinkTest, SurvivesExceptionsAndMakesANewInstance) {
    publish({R"({"do": "deliver"})", R"({"do": "throw", "text": "boom"})", R"({"do": "deliver"})"});
    EXPECT_EQ(outcomes.status, Status::broken);
    EXPECT_EQ(outcomes.reason, "publish() threw an exception: boom");
    EXPECT_EQ(outcomes.verdicts, (Verdicts{delivered, untouched, untouched}));
    publish({R"({"do": "throw_number"})"});
    EXPECT_EQ(outcomes.reason, "publish() threw an exception of unknown type");
    publish({R"({"do": "deliver"})"});
    EXPECT_EQ(outcomes.status, Status::ok);
    EXPECT_EQ(outcomes.verdicts, Verdicts{delivered});
}

TEST_F(PluginSinkTest, CountsForgottenEventsAsRetryWithAWarning) {
    publish({R"({"do": "deliver"})", R"({"do": "forget"})", R"({"do": "deliver"})"},
            {"a", "b", "c"});
    EXPECT_EQ(outcomes.status, Status::ok);
    EXPECT_EQ(outcomes.verdicts, (Verdicts{delivered, retry, delivered}));
    ASSERT_EQ(outcomes.reasons.size(), 1U);
    EXPECT_EQ(outcomes.reasons[0].text, "the plugin gave no verdict for it");
    EXPECT_TRUE(contains(log_text.str(), "without a verdict for 1 of 3 events")) << log_text.str();
}

TEST_F(PluginSinkTest, LeavesAloneWhatWaitsBehindARetriedEventOfItsKey) {
    publish({R"({"do": "retry"})", R"({"do": "forget"})", R"({"do": "deliver"})",
             R"({"do": "forget"})"},
            {"a", "a", "b", "c"});
    EXPECT_EQ(outcomes.verdicts, (Verdicts{retry, untouched, delivered, retry}));
    publish({R"({"do": "retry"})", R"({"do": "forget"})", R"({"do": "forget"})"}, {"a", "", "b"});
    EXPECT_EQ(outcomes.verdicts, (Verdicts{retry, untouched, untouched}));
    publish({R"({"do": "reject"})", R"({"do": "forget"})"}, {"a", "a"});
    EXPECT_EQ(outcomes.verdicts, (Verdicts{rejected, retry}));
}

TEST_F(PluginSinkTest, RefusesASecondVerdictAndKeepsTheFirst) {
    publish({R"({"do": "twice"})"});
    EXPECT_EQ(outcomes.verdicts, Verdicts{delivered});
    EXPECT_TRUE(contains(log_text.str(), "a second verdict for an event; refused"))
        << log_text.str();
    EXPECT_TRUE(contains(log_text.str(), "[scripted]")) << "named after the sink";
}

TEST_F(PluginSinkTest, RefusesVerdictsBeyondTheBatchOrWithoutOutcome) {
    publish({R"({"do": "beyond"})"}, {"a"});
    EXPECT_EQ(outcomes.verdicts, Verdicts{retry});
    EXPECT_TRUE(contains(log_text.str(), "beyond the batch"));
    EXPECT_TRUE(contains(log_text.str(), "3 more times in this call")) << log_text.str();
}

TEST_F(PluginSinkTest, RefusesVerdictsFromAnotherThread) {
    publish({R"({"do": "other_thread"})"});
    EXPECT_EQ(outcomes.verdicts, Verdicts{retry});
    EXPECT_TRUE(contains(log_text.str(), "delivered() from a thread of its own")) << log_text.str();
}

TEST_F(PluginSinkTest, CancelEndsAPublishThatWaits) {
    make();
    std::thread canceller([this] { sink->cancel(); });
    publish({R"({"do": "wait"})"});
    canceller.join();
    EXPECT_EQ(outcomes.status, Status::cancelled);
    EXPECT_EQ(outcomes.reason, "cancelled");
}

TEST_F(PluginSinkTest, OfOnePluginLiveOnThreadsOfTheirOwn) {
    const auto work = [this] {
        PluginSink own(scripted(), nlohmann::json::object(), metrics);
        std::vector<OutgoingEvent> events(2);
        events[0].payload = R"({"do": "chatter"})";
        events[1].payload = R"({"do": "throw"})";
        Outcomes answers;
        for (int i = 0; i < 50; ++i) {
            own.publish(events, steady_clock::time_point::max(), answers);
            EXPECT_EQ(answers.status, Status::broken);
            EXPECT_EQ(answers.verdicts, (Verdicts{delivered, untouched}));
        }
    };
    std::thread one(work);
    std::thread other(work);
    while (metrics.counters().empty() || metrics.counters()[0].value < 100)
        std::this_thread::yield();
    one.join();
    other.join();
    EXPECT_EQ(metrics.counters()[0].value, 2U * 50 * 3);
}

TEST_F(PluginSinkTest, TakesAtMostMaxBatchAndLeavesTheRest) {
    publish(std::vector<std::string>(101, R"({"do": "deliver"})"));
    EXPECT_EQ(sink->max_batch(), 100U);
    EXPECT_EQ(outcomes.verdicts[99], delivered);
    EXPECT_EQ(outcomes.verdicts[100], untouched);
}

TEST_F(PluginSinkTest, CountsOnThroughANewInstance) {
    publish({R"({"do": "deliver"})", R"({"do": "throw"})"});
    publish({R"({"do": "deliver"})"});
    const auto readings = metrics.counters();
    ASSERT_EQ(readings.size(), 1U);
    EXPECT_EQ(readings[0].name, "events_seen");
    EXPECT_EQ(readings[0].help, "Events seen.");
    EXPECT_EQ(readings[0].value, 3U);
}

TEST_F(PluginSinkTest, ShowsAGaugeUntilTheInstanceThatSetItIsGone) {
    publish({R"({"do": "gauge", "text": "2.5"})"});
    ASSERT_EQ(metrics.gauges().size(), 1U);
    EXPECT_EQ(metrics.gauges()[0].name, "level");
    EXPECT_EQ(metrics.gauges()[0].value, 2.5);
    publish({R"({"do": "throw"})"});
    EXPECT_EQ(metrics.gauges()[0].value, 0);
}

TEST_F(PluginSinkTest, KeepsSignalsAwayFromThePluginAndLeavesNoneBehind) {
    EXPECT_EQ(answer(R"({"do": "signals"})"), "EPIPE");
    sigset_t mask;
    sigset_t pending;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    sigpending(&pending);
    EXPECT_EQ(sigismember(&mask, SIGTERM), 0);
    EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

TEST_F(PluginSinkTest, LooksUpFieldsOfThePayloadAndOfTextOfThePluginsOwn) {
    EXPECT_EQ(answer(R"({"do": "look_up", "text": "/n", "n": 123456789012345678901234567890.10})"),
              "123456789012345678901234567890.10");
    EXPECT_EQ(answer(R"({"do": "look_up_own", "text": "/own/1"})"), "2");
    EXPECT_EQ(answer(R"({"do": "visit", "text": "/m"})"), ":3:1;:4:two ;:1:null;");
}

TEST_F(PluginSinkTest, LogsLinesOfThePluginUnderItsNameAndAsOneLine) {
    make({{"greeting", "hi"}});
    EXPECT_TRUE(contains(log_text.str(), "[scripted] [info] made with hi")) << log_text.str();
}

TEST_F(PluginSinkTest, ProbesAndPassesTheReasonOn) {
    make();
    std::string reason;
    milliseconds after{0};
    ASSERT_TRUE(sink->has_probe());
    EXPECT_EQ(sink->probe(steady_clock::now(), reason, after), Status::unavailable);
    EXPECT_EQ(reason, "nobody there");
    EXPECT_EQ(after, milliseconds(5));
    EXPECT_EQ(sink->probe(steady_clock::time_point::max(), reason, after), Status::ok);
    EXPECT_EQ(reason, "");
}

// Remedy and text of what the constructor throws.
std::pair<Remedy, std::string> failure_of(const nlohmann::json &settings) {
    Metrics metrics;
    try {
        const PluginSink sink(scripted(), settings, metrics);
    } catch (const Error &error) {
        return {error.remedy(), error.what()};
    }
    return {Remedy::recover, "none"};
}

TEST_F(PluginSinkTest, OnlyAnExplicitRefusalOfTheConfigurationIsFinal) {
    const auto status = [](int number) {
        return failure_of({{"create", "status"}, {"status", number}});
    };
    EXPECT_EQ(status(PGAT_E_CONFIG),
              std::pair(Remedy::configure, std::string("sink scripted: said by create")));
    EXPECT_EQ(status(PGAT_E_UNSUPPORTED).first, Remedy::configure);
    EXPECT_EQ(status(PGAT_E_UNAVAILABLE).first, Remedy::retry);
    EXPECT_EQ(status(PGAT_E_BROKEN).first, Remedy::retry);
    EXPECT_EQ(status(PGAT_OK).first, Remedy::retry) << "ok, but a reason to fail";
    EXPECT_EQ(status(1234).first, Remedy::retry);
    EXPECT_EQ(
        failure_of({{"create", "throw"}}),
        std::pair(Remedy::retry,
                  std::string("sink scripted: create() threw an exception: thrown by create")));
    EXPECT_EQ(
        failure_of({{"create", "nothing"}}),
        std::pair(Remedy::retry, std::string("sink scripted: create() returned ok but no sink")));
}

TEST_F(PluginSinkTest, RefusesSettingsThatTheSchemaDoesNotAllow) {
    EXPECT_EQ(failure_of({{"greting", "x"}, {"status", "s3cret"}}),
              std::pair(Remedy::configure,
                        std::string("sink.greting: unknown key; did you mean sink.greeting?\n"
                                    "sink.status: must be an integer, not a string")));
    EXPECT_EQ(failure_of(nlohmann::json::array()).first, Remedy::configure);
}

TEST_F(PluginSinkTest, IsUnavailableWhileABrokenInstanceCannotBeMadeAgain) {
    // The plugin counts the instances made by its file in this process: a copy has made none.
    const TemporaryFolder folder("sinks");
    std::filesystem::copy_file(zoo / "scripted.so", folder.path() / "scripted.so");
    sink = std::make_unique<PluginSink>(
        load_plugin_file(folder.path() / "scripted.so"),
        nlohmann::json{{"create", "status_when_again"}, {"status", PGAT_E_CONFIG}}, metrics);
    publish({R"({"do": "throw"})"});
    EXPECT_EQ(outcomes.status, Status::broken);
    publish({R"({"do": "deliver"})"});
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.reason, "cannot be made again: said by create");
    EXPECT_EQ(outcomes.retry_after, milliseconds(1500));
    EXPECT_EQ(outcomes.verdicts, Verdicts{untouched});
}

} // namespace
} // namespace pgat::sinks
