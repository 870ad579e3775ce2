#include "observe/recent_lines.hpp"

#include <sstream>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include "observe/log.hpp"

namespace pgat::observe {
namespace {

class Recent : public testing::Test {
  protected:
    void SetUp() override {
        set_up_logging({"info", config::LogFormat::text},
                       std::make_shared<spdlog::sinks::ostream_sink_mt>(written_));
    }
    static std::vector<RecentLines::Line> lines() { return RecentLines::of_this_program()->read(); }

    std::ostringstream written_;
    const Log log_{"recent"};
};

TEST_F(Recent, KeepWarningsAndErrorsWithTheirFieldsTheNewestFirst) {
    log_.warn("first", {{"slot", "a\nb"}});
    log_.info("of no concern");
    log_.error("second");
    const auto found = lines();
    ASSERT_GE(found.size(), 2U);
    EXPECT_EQ(found[0].line.message, "second");
    EXPECT_EQ(found[0].line.level, "error");
    EXPECT_EQ(found[1].line.message, "first");
    EXPECT_EQ(found[1].line.room, "recent");
    EXPECT_EQ(found[1].line.fields,
              (std::vector<std::pair<std::string, std::string>>{{"slot", "a; b"}}));
}

TEST_F(Recent, CountWhatComesAgainInOnePlace) {
    log_.warn("again and again", {{"attempt", 1}});
    log_.warn("between");
    log_.warn("again and again", {{"attempt", 2}});
    const auto found = lines();
    EXPECT_EQ(found[0].line.message, "again and again");
    EXPECT_EQ(found[0].times, 2U);
    EXPECT_LE(found[0].first, found[0].line.time);
    EXPECT_EQ(found[0].line.fields.at(0).second, "2");
    EXPECT_EQ(found[1].line.message, "between");
}

TEST_F(Recent, AreNeverMoreThanAFew) {
    for (int i = 0; i < 200; ++i)
        log_.warn("number " + std::to_string(i));
    EXPECT_EQ(lines().size(), RecentLines::most);
    EXPECT_EQ(lines().front().line.message, "number 199");
}

} // namespace
} // namespace pgat::observe
