#include <gtest/gtest.h>

#include "sinks/counters.hpp"
#include "sinks/text.hpp"

namespace pgat::sinks {
namespace {

TEST(OneLine, KeepsTextAndTakesOutWhatWouldForgeALine) {
    EXPECT_EQ(one_line("grün 😀", 100), "grün 😀");
    EXPECT_EQ(one_line("a\nERROR forged\x1b[31m\x7f", 100), "a ERROR forged [31m");
    EXPECT_EQ(one_line("next\xC2\x85line", 100), "next line");
    EXPECT_EQ(one_line("", 100), "");
}

TEST(OneLine, ReplacesBytesThatAreNoUtf8) {
    EXPECT_EQ(one_line("a\xFF\xC3z", 100), "a??z");
    EXPECT_EQ(one_line("cut \xF0\x9F\x98", 100), "cut ???");
    EXPECT_TRUE(is_utf8(one_line("\xED\xA0\x80\xC0\xAF", 100)));
}

TEST(OneLine, CutsAtACharacterAndSaysSo) {
    EXPECT_EQ(one_line("12345", 5), "12345");
    EXPECT_EQ(one_line("123456", 5), "12345…");
    EXPECT_EQ(one_line("1234é", 5), "1234…");
}

TEST(Counters, FindsACounterByNameAndRefusesBadNames) {
    Counters counters;
    const auto first = counters.find_or_make("sent_total", "Sent.");
    EXPECT_EQ(first, 1U);
    EXPECT_EQ(counters.find_or_make("sent_total", "Other words."), first);
    for (const char *name : {"", "1st", "Sent", "a-b", "_a", "a b"})
        EXPECT_EQ(counters.find_or_make(name, ""), 0U) << name;
    EXPECT_EQ(counters.find_or_make(std::string(65, 'a'), ""), 0U);
    counters.add(first, 5);
    counters.add(0, 1);
    counters.add(99, 1);
    const auto readings = counters.read();
    ASSERT_EQ(readings.size(), 1U);
    EXPECT_EQ(readings[0].value, 5U);
    EXPECT_EQ(readings[0].help, "Sent.");
}

TEST(Counters, AreBounded) {
    Counters counters;
    for (std::size_t i = 0; i < Counters::limit; ++i)
        EXPECT_NE(counters.find_or_make("c" + std::to_string(i), ""), 0U);
    EXPECT_EQ(counters.find_or_make("one_more", ""), 0U);
    EXPECT_NE(counters.find_or_make("c5", ""), 0U);
}

} // namespace
} // namespace pgat::sinks
