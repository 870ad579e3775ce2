#include <nlohmann/json.hpp>

#include "cli/fixture.hpp"

namespace pgat::cli {

namespace {

using support::Cluster;

class Migrate : public CliTest {};

TEST_F(Migrate, AppliesWhatIsMissingOnce) {
    const std::string database = Cluster::shared().create_database();
    configure(Cluster::shared(), database);
    const auto first = run({"migrate"});
    EXPECT_EQ(first.status, 0) << first.err;
    EXPECT_TRUE(first.out.starts_with("applied ")) << first.out;
    const auto second = run({"migrate"});
    EXPECT_EQ(second.status, 0);
    EXPECT_EQ(second.out.find("applied"), std::string::npos);
    EXPECT_TRUE(second.out.ends_with(" already\n")) << second.out;
}

TEST_F(Migrate, TellsProgramsWhatItApplied) {
    configure(Cluster::shared(), Cluster::shared().create_database());
    const auto first = nlohmann::json::parse(run({"migrate", "--json"}).out);
    EXPECT_EQ(first.at("applied").size(), first.at("version").get<std::size_t>());
    EXPECT_EQ(first.at("applied").at(0), "0001 tables");
    const auto second = nlohmann::json::parse(run({"migrate", "--json"}).out);
    EXPECT_EQ(second.at("applied").size(), 0U);
    EXPECT_EQ(second.at("version"), first.at("version"));
}

TEST_F(Migrate, PrintsAScriptThatDoesTheSame) {
    const auto printed = run({"migrate", "--print"});
    ASSERT_EQ(printed.status, 0) << printed.err;
    const std::string database = Cluster::shared().create_database();
    const auto applied =
        support::run({Cluster::client("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h",
                      "127.0.0.1", "-p", std::to_string(Cluster::shared().port()), "-U", "postgres",
                      "-d", database, "-f", write("schema.sql", printed.out)});
    EXPECT_EQ(applied.status, 0) << applied.err;
    configure(Cluster::shared(), database);
    const auto after = run({"migrate"});
    EXPECT_EQ(after.status, 0) << after.err;
    EXPECT_TRUE(after.out.ends_with(" already\n")) << after.out;
}

TEST_F(Migrate, RefusesADatabaseThatIsNewer) {
    const std::string database = Cluster::shared().create_database();
    configure(Cluster::shared(), database);
    ASSERT_EQ(run({"migrate"}).status, 0);
    Cluster::shared().connect(database).exec(
        "INSERT INTO async_triggers.schema_migrations (version, name) VALUES (9999, 'future')");
    const auto finished = run({"migrate"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_NE(finished.err.find("9999"), std::string::npos) << finished.err;
    const auto check = run({"check"});
    EXPECT_EQ(check.status, 1);
    EXPECT_TRUE(
        finding(check.out, "schema")
            .starts_with("FAIL  schema: the database is at version 9999, this binary knows "))
        << check.out;
}

} // namespace

} // namespace pgat::cli
