// The daemon as the command line starts it: what it refuses, with status 2, and a stop in order.
#include "cli/fixture.hpp"

#include <csignal>

namespace pgat::cli {

namespace {

using support::Cluster;

class Run : public CliTest {};

TEST_F(Run, IsTheDefaultCommand) {
    configure("stream: {id: one}");
    for (const auto &finished : {run({}), run({"run"})}) {
        EXPECT_EQ(finished.status, 2);
        EXPECT_TRUE(finished.err.starts_with(
            "postgres-async-triggers: error: ./config.yaml:1: stream.id: must be a whole number"))
            << finished.err;
    }
}

TEST_F(Run, EndsWithStatus2ForAPluginThatIsNotThere) {
    configure("sink: {type: nosuch}");
    const auto finished = run({});
    EXPECT_EQ(finished.status, 2);
    EXPECT_NE(finished.err.find("no plugin nosuch"), std::string::npos) << finished.err;
}

TEST_F(Run, EndsWithStatus2ForSettingsThatThePluginDoesNotTake) {
    configure("sink:\n  type: memory\n  capacity: lots\n");
    const auto finished = run({});
    EXPECT_EQ(finished.status, 2);
    EXPECT_NE(finished.err.find("./config.yaml:3: sink.capacity: must be "), std::string::npos)
        << finished.err;
}

TEST_F(Run, EndsWithStatus0WhenItIsTold) {
    configure(Cluster::shared(), Cluster::shared().create_database());
    support::Process daemon({binary()}, {.environment = {}, .directory = folder().string()});
    ASSERT_TRUE(daemon.wait_for_err("streaming")) << daemon.err();
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

} // namespace

} // namespace pgat::cli
