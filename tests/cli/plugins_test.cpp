#include "cli/fixture.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace pgat::cli {

namespace {

class Plugins : public CliTest {};

TEST_F(Plugins, AreListedWithoutAnyConfiguration) {
    const auto finished = run({"plugins"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_TRUE(finished.out.starts_with("TYPE")) << finished.out;
    EXPECT_NE(finished.out.find("\nmemory "), std::string::npos) << finished.out;
}

TEST_F(Plugins, AreListedAsJson) {
    const auto finished = run({"plugins", "--json"});
    ASSERT_EQ(finished.status, 0) << finished.err;
    const auto list = nlohmann::json::parse(finished.out);
    const auto memory = std::find_if(list.begin(), list.end(),
                                     [](const auto &plugin) { return plugin["type"] == "memory"; });
    ASSERT_NE(memory, list.end()) << finished.out;
    EXPECT_EQ((*memory)["version"], "0.1.0");
    EXPECT_EQ((*memory)["usable"], true);
    EXPECT_TRUE((*memory)["file"].get<std::string>().ends_with("/plugins/memory.so"));
    for (const char *key : {"abi", "description", "license", "problem", "warnings"})
        EXPECT_TRUE(memory->contains(key)) << key;
}

TEST_F(Plugins, ThatCannotBeUsedSayWhy) {
    write("broken.so", "not a library");
    configure("plugins: {directory: " + folder().string() + "}");
    const auto finished = run({"plugins"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_NE(finished.out.find("broken.so\n  CANNOT BE USED: "), std::string::npos)
        << finished.out;
    const auto list = nlohmann::json::parse(run({"plugins", "--json"}).out);
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0]["usable"], false);
    EXPECT_NE(list[0]["problem"], "");
}

TEST_F(Plugins, AreShownEvenIfTheConfigurationFoundIsBroken) {
    configure("stream: {id: one}");
    const auto finished = run({"plugins"});
    EXPECT_EQ(finished.status, 0);
    EXPECT_TRUE(finished.err.starts_with("postgres-async-triggers: warning: ./config.yaml:1: "));
    EXPECT_NE(finished.out.find("\nmemory "), std::string::npos) << finished.out;
    EXPECT_EQ(run({"plugins", "--config", "config.yaml"}).status, 2);
}

} // namespace

} // namespace pgat::cli
