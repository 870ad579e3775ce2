#include "observe/log.hpp"

#include <sstream>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "base/lsn.hpp"
#include "observe/throttled_log.hpp"

namespace pgat::observe {

namespace {

class Logging : public testing::Test {
  protected:
    void set_up(config::LogFormat format, const std::string &level = "info") {
        set_up_logging({level, format}, std::make_shared<spdlog::sinks::ostream_sink_mt>(written_));
    }
    // The line without its time and level, after checking these.
    std::string text_line(const std::string &level) {
        const std::string line = written_.str();
        written_.str("");
        const std::string shape = "2026-11-22T08:30:00.123Z ";
        EXPECT_GT(line.size(), shape.size()) << line;
        EXPECT_EQ(line.substr(0, 2), "20");
        EXPECT_EQ(line[10], 'T');
        EXPECT_EQ(line[19], '.');
        EXPECT_EQ(line[23], 'Z');
        EXPECT_EQ(line.substr(shape.size(), 5), level);
        return line.substr(shape.size() + 6);
    }

    std::ostringstream written_;
    const Log log_{"replication"};
};

TEST_F(Logging, WritesFieldsAsKeyAndValueInText) {
    set_up(config::LogFormat::text);
    log_.info("slot created", {{"slot", "async_triggers_stream_1"}, {"lsn", Lsn(0x16000000B3)}});
    EXPECT_EQ(text_line("INFO "),
              "replication: slot created slot=async_triggers_stream_1 lsn=16/B3\n");
    log_.warn(
        "odd",
        {{"count", 3}, {"ok", true}, {"text", "two words"}, {"empty", ""}, {"quote", "a\"b"}});
    EXPECT_EQ(text_line("WARN "), "replication: odd count=3 ok=true text=\"two words\" empty=\"\" "
                                  "quote=\"a\\\"b\"\n");
}

TEST_F(Logging, KeepsALineALine) {
    set_up(config::LogFormat::text);
    log_.error("lost\x1f the\x1e connection\n", {{"why", "FATAL:  no\n  DETAIL: \tnone\x01\n"}});
    EXPECT_EQ(text_line("ERROR"),
              "replication: lost  the  connection why=\"FATAL:  no; DETAIL:  none\\x01\"\n");
}

TEST_F(Logging, WritesOneJsonObjectALine) {
    set_up(config::LogFormat::json);
    log_.info(
        "slot created",
        {{"lsn", Lsn(0x16000000B3)}, {"count", 3}, {"ratio", 0.5}, {"ok", true}, {"msg", "own"}});
    const std::string line = written_.str();
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    auto object = nlohmann::json::parse(line);
    EXPECT_EQ(object["ts"].get<std::string>().size(), 24U);
    object.erase("ts");
    EXPECT_EQ(object, nlohmann::json::parse(R"({"level": "info", "logger": "replication",
        "msg": "slot created", "lsn": "16/B3", "count": 3, "ratio": 0.5, "ok": true, "msg_": "own"})"));
}

TEST_F(Logging, SurvivesBytesThatAreNotUtf8AndNumbersThatAreNotJson) {
    set_up(config::LogFormat::json);
    log_.info("\xff", {{"nan", std::numeric_limits<double>::quiet_NaN()}});
    const auto object = nlohmann::json::parse(written_.str());
    EXPECT_EQ(object["msg"], "\xef\xbf\xbd");
    EXPECT_EQ(object["nan"], "nan");
}

TEST_F(Logging, LeavesOutWhatIsBelowTheLevel) {
    set_up(config::LogFormat::text, "warn");
    log_.info("quiet");
    EXPECT_EQ(written_.str(), "");
    EXPECT_FALSE(log_.enabled(Level::info));
    EXPECT_TRUE(log_.enabled(Level::warn));
    set_up(config::LogFormat::text, "trace");
    log_.trace("loud");
    EXPECT_EQ(text_line("TRACE"), "replication: loud\n");
    set_up(config::LogFormat::text, "error");
    log_.warn("quiet");
    EXPECT_EQ(written_.str(), "");
    log_.error("loud");
    EXPECT_EQ(text_line("ERROR"), "replication: loud\n");
}

TEST_F(Logging, FormatsWhatOthersLogThroughSpdlog) {
    set_up(config::LogFormat::text);
    spdlog::warn("plain {}", 1);
    EXPECT_EQ(text_line("WARN "), "daemon: plain 1\n");
    log_event(Level::info, "event", {{"a", 1}});
    EXPECT_EQ(text_line("INFO "), "daemon: event a=1\n");
}

TEST_F(Logging, TellsAnErrorWithHintAndSqlstate) {
    set_up(config::LogFormat::text);
    log_.warn("cannot connect",
              Error(Remedy::reconnect, "FATAL").with_hint("start it").with_sqlstate("57P03"),
              {{"host", "h"}});
    EXPECT_EQ(text_line("WARN "),
              "replication: cannot connect host=h error=FATAL hint=\"start it\" "
              "sqlstate=57P03\n");
}

TEST_F(Logging, KeepsLinesOfManyThreadsApart) {
    set_up(config::LogFormat::json);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i)
                log_.info("line", {{"i", i}});
        });
    for (auto &thread : threads)
        thread.join();
    std::istringstream lines(written_.str());
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count)
        EXPECT_EQ(nlohmann::json::parse(line)["msg"], "line");
    EXPECT_EQ(count, 800);
}

TEST_F(Logging, ThrottlesARepeatedMessageAndCountsIt) {
    set_up(config::LogFormat::text);
    ThrottledLog::Clock::time_point now{};
    ThrottledLog log(log_, std::chrono::minutes(1), [&] { return now; });
    log.warn("cannot connect", {{"try", 1}});
    EXPECT_EQ(text_line("WARN "), "replication: cannot connect try=1\n");
    for (int i = 0; i < 37; ++i)
        log.warn("cannot connect", {{"try", i}});
    EXPECT_EQ(written_.str(), "");
    log.warn("another", {});
    EXPECT_EQ(text_line("WARN "), "replication: another\n");
    now += std::chrono::minutes(1);
    log.warn("cannot connect", {{"try", 39}});
    EXPECT_EQ(text_line("WARN "), "replication: cannot connect try=39 repeated=37\n");
    log.warn("cannot connect", {{"try", 40}});
    EXPECT_EQ(written_.str(), "");
    log.reset();
    EXPECT_EQ(text_line("WARN "), "replication: cannot connect repeated=1\n");
    log.warn("cannot connect");
    EXPECT_EQ(text_line("WARN "), "replication: cannot connect\n");
}

} // namespace

} // namespace pgat::observe
