// A sink in plain C works like any other.
#include <gtest/gtest.h>

#include "plugins/sink_under_test.hpp"

namespace pgat::test {

TEST(PlainC, IsEnoughForASink) {
    const char *const build = std::getenv("PGAT_BUILD_DIR");
    ASSERT_NE(build, nullptr);
    const sinks::Plugin &plugin =
        sinks::load_plugin_file(std::filesystem::path(build) / "abi" / "plain.so");
    EXPECT_EQ(plugin.type, "plain");
    sinks::Metrics metrics;
    sinks::PluginSink sink(plugin, nlohmann::json::object(), metrics);
    Outcomes outcomes;
    Events events;
    events.fill(3);
    sink.publish(events.list(), Clock::now() + std::chrono::seconds(10), outcomes);
    EXPECT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    EXPECT_EQ(outcomes.verdicts, verdicts(3));
}

} // namespace pgat::test
