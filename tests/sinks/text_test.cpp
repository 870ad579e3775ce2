#include <gtest/gtest.h>

#include "sinks/metrics.hpp"
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

TEST(Metrics, FindsACounterByNameAndRefusesBadNames) {
    Metrics metrics;
    const auto first = metrics.counter("sent_total", "Sent.");
    EXPECT_EQ(first, 1U);
    EXPECT_EQ(metrics.counter("sent_total", "Other words."), first);
    for (const char *name : {"", "1st", "Sent", "a-b", "_a", "a b", "calls_total"})
        EXPECT_EQ(metrics.counter(name, ""), 0U) << name;
    EXPECT_EQ(metrics.counter(std::string(65, 'a'), ""), 0U);
    metrics.add(first, 5);
    metrics.add(0, 1);
    metrics.add(99, 1);
    const auto readings = metrics.counters();
    ASSERT_EQ(readings.size(), 1U);
    EXPECT_EQ(readings[0].value, 5U);
    EXPECT_EQ(readings[0].help, "Sent.");
}

TEST(Metrics, KeepCountersAndGaugesApart) {
    Metrics metrics;
    const auto sent = metrics.counter("sent_total", "");
    const auto level = metrics.gauge("level", "How full.");
    EXPECT_EQ(metrics.gauge("level", ""), level);
    EXPECT_EQ(metrics.gauge("sent_total", ""), 0U);
    EXPECT_EQ(metrics.counter("level", ""), 0U);
    metrics.set(level, -0.5);
    metrics.set(sent, 7);
    metrics.add(level, 7);
    metrics.add(sent, 1);
    ASSERT_EQ(metrics.gauges().size(), 1U);
    EXPECT_EQ(metrics.gauges()[0].value, -0.5);
    EXPECT_EQ(metrics.gauges()[0].help, "How full.");
    ASSERT_EQ(metrics.counters().size(), 1U);
    EXPECT_EQ(metrics.counters()[0].value, 1U);
    metrics.reset_gauges();
    EXPECT_EQ(metrics.gauges()[0].value, 0);
    EXPECT_EQ(metrics.counters()[0].value, 1U);
}

TEST(Metrics, AreBounded) {
    Metrics metrics;
    for (std::size_t i = 0; i < Metrics::limit; ++i)
        EXPECT_NE(metrics.counter("c" + std::to_string(i), ""), 0U);
    EXPECT_EQ(metrics.counter("one_more", ""), 0U);
    EXPECT_EQ(metrics.gauge("one_more", ""), 0U);
    EXPECT_NE(metrics.counter("c5", ""), 0U);
}

} // namespace
} // namespace pgat::sinks
