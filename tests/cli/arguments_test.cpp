#include "cli/fixture.hpp"

namespace pgat::cli {

namespace {

class Arguments : public CliTest {};

TEST_F(Arguments, ShowHelpOfTheProgramAndOfEachCommand) {
    const auto help = run({"--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_EQ(help.err, "");
    for (const std::string command : {"check", "migrate", "plugins", "teardown"}) {
        EXPECT_NE(help.out.find("\n  " + command + " "), std::string::npos) << help.out;
        const auto own = run({command, "--help"});
        EXPECT_EQ(own.status, 0);
        EXPECT_NE(own.out.find("Usage: postgres-async-triggers " + command), std::string::npos)
            << own.out;
    }
}

TEST_F(Arguments, ShowTheVersion) {
    const auto finished = run({"--version"});
    EXPECT_EQ(finished.status, 0);
    EXPECT_EQ(finished.out, "postgres-async-triggers 0.1.0\n");
}

TEST_F(Arguments, AreRefusedWithStatus2) {
    for (const auto &arguments :
         std::vector<std::vector<std::string>>{{"chekc"},
                                               {"--frobnicate"},
                                               {"check", "--frobnicate"},
                                               {"check", "migrate"},
                                               {"--config"},
                                               {"teardown", "--stream", "x"},
                                               {"teardown", "--stream", "1", "--all"}}) {
        const auto finished = run(arguments);
        EXPECT_EQ(finished.status, 2) << arguments.front();
        EXPECT_EQ(finished.out, "");
        EXPECT_TRUE(finished.err.starts_with("postgres-async-triggers: error: ")) << finished.err;
        EXPECT_NE(finished.err.find("\n  hint: see postgres-async-triggers --help\n"),
                  std::string::npos)
            << finished.err;
    }
}

TEST_F(Arguments, NameTheCommandThatWasMeant) {
    EXPECT_EQ(run({"chekc"}).err,
              "postgres-async-triggers: error: unknown command chekc; did you mean check?\n"
              "  hint: see postgres-async-triggers --help\n");
    EXPECT_EQ(run({"check", "--frobnicate"}).err,
              "postgres-async-triggers: error: unexpected argument --frobnicate\n"
              "  hint: see postgres-async-triggers --help\n");
}

} // namespace

} // namespace pgat::cli
