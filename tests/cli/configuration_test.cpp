// Mistakes in the configuration, as commands tell them: status 2, all of them at once.
#include "cli/fixture.hpp"

namespace pgat::cli {

namespace {

class Configuration : public CliTest {};

TEST_F(Configuration, IsNamedWhereThereIsNone) {
    const auto finished = run({"migrate"});
    EXPECT_EQ(finished.status, 2);
    EXPECT_EQ(finished.err,
              "postgres-async-triggers: error: no configuration file: looked for "
              "./config.yaml, /config.yaml, /etc/postgres-async-triggers/config.yaml\n"
              "  hint: name one with --config FILE or in ASYNC_TRIGGERS_CONFIG; "
              "config.example.yaml shows every key\n");
}

TEST_F(Configuration, IsRefusedForAnUnknownKey) {
    configure("stream:\n  batch:\n    max_sise: 5\n");
    const auto finished = run({"migrate"});
    EXPECT_EQ(finished.status, 2);
    EXPECT_EQ(finished.err, "postgres-async-triggers: error: ./config.yaml:3: "
                            "stream.batch.max_sise: unknown key; did you mean "
                            "stream.batch.max_size?\n");
}

TEST_F(Configuration, IsRefusedForWrongTypesAllAtOnce) {
    const std::string file = write("other.yaml", "stream: {id: one}\nlog: {level: loud}\n");
    for (const auto &arguments : std::vector<std::vector<std::string>>{
             {"migrate", "--config", file}, {"--config", file, "teardown"}}) {
        const auto finished = run(arguments);
        EXPECT_EQ(finished.status, 2);
        EXPECT_EQ(
            finished.err,
            "postgres-async-triggers: error: 2 errors in the configuration:\n  " + file +
                ":1: stream.id: must be a whole number from 0 to 9223372036854775807, is "
                "\"one\"\n  " +
                file +
                ":2: log.level: must be one of trace, debug, info, warn, error, is \"loud\"\n");
    }
}

TEST_F(Configuration, IsReadFromTheEnvironmentToo) {
    const auto finished = run({"migrate"}, {{"ASYNC_TRIGGERS_STREAM__ID", "one"}});
    EXPECT_EQ(finished.status, 2);
    EXPECT_EQ(finished.err,
              "postgres-async-triggers: error: environment variable "
              "ASYNC_TRIGGERS_STREAM__ID: stream.id: must be a whole number from 0 to "
              "9223372036854775807, is \"one\"\n");
}

TEST_F(Configuration, FailsTheCheckWithItsMistakes) {
    configure("stream: {id: one}\nlog: {level: loud}\n");
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_EQ(
        finished.out,
        "FAIL  config: 2 errors in the configuration:\n"
        "        ./config.yaml:1: stream.id: must be a whole number from 0 to "
        "9223372036854775807, is \"one\"\n"
        "        ./config.yaml:2: log.level: must be one of trace, debug, info, warn, error, is "
        "\"loud\"\n");
}

} // namespace

} // namespace pgat::cli
