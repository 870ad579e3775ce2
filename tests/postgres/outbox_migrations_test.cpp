#include "outbox/migrations.hpp"

#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "outbox_database.hpp"
#include "sql/migrations.hpp"

namespace pgat::outbox {
namespace {

struct Empty {
    support::Cluster &cluster = support::Cluster::shared();
    std::string name = cluster.create_database();
    postgres::Connection sql = cluster.connect(name);
};

Error error_of(const std::function<void()> &call) {
    try {
        call();
    } catch (const Error &error) {
        return error;
    }
    ADD_FAILURE() << "no error";
    return {Remedy::configure, ""};
}

TEST(Migrations, AreAppliedOnceInOrder) {
    Empty database;
    EXPECT_EQ(schema_state(database.sql).found, 0);
    EXPECT_FALSE(schema_state(database.sql).complete());
    EXPECT_EQ(migrate(database.sql).size(), sql::migrations().size());
    EXPECT_TRUE(schema_state(database.sql).complete());
    EXPECT_TRUE(migrate(database.sql).empty());
    const auto rows = database.sql.exec(
        "select version, name from async_triggers.schema_migrations order by version");
    ASSERT_EQ(rows.rows(), static_cast<int>(sql::migrations().size()));
    EXPECT_EQ(rows.integer(0, 0), 1);
    EXPECT_EQ(rows.text(0, 1), sql::migrations()[0].name);
}

TEST(Migrations, DoNotCollideWhenManyDaemonsStartTogether) {
    Empty database;
    std::vector<std::thread> daemons;
    std::atomic<std::size_t> applied = 0;
    std::atomic<int> failed = 0;
    for (int daemon = 0; daemon < 6; ++daemon)
        daemons.emplace_back([&] {
            try {
                auto sql = database.cluster.connect(database.name);
                sql.exec("set lock_timeout = '10ms'");
                applied += migrate(sql).size();
            } catch (const std::exception &error) {
                ++failed;
                ADD_FAILURE() << error.what();
            }
        });
    for (auto &daemon : daemons)
        daemon.join();
    EXPECT_EQ(applied, sql::migrations().size());
    EXPECT_TRUE(schema_state(database.sql).complete());
}

TEST(Migrations, RefuseADatabaseNewerThanTheProgram) {
    Database database;
    database.sql.exec(
        "insert into async_triggers.schema_migrations (version, name) values (999, 'later')");
    EXPECT_TRUE(schema_state(database.sql).newer_than_binary());
    const auto error = error_of([&] { migrate(database.sql); });
    EXPECT_EQ(error.remedy(), Remedy::stop);
    EXPECT_NE(std::string(error.what()).find("999"), std::string::npos);
    EXPECT_FALSE(error.hint().empty());
}

TEST(Migrations, LeaveNothingBehindWhenOneFails) {
    Empty database;
    database.sql.exec("create schema async_triggers; create table async_triggers.streams ()");
    const auto error = error_of([&] { migrate(database.sql); });
    EXPECT_EQ(error.remedy(), Remedy::stop);
    EXPECT_EQ(error.sqlstate(), "42P07");
    EXPECT_EQ(schema_state(database.sql).found, 0);
    database.sql.exec("drop table async_triggers.streams");
    EXPECT_EQ(migrate(database.sql).size(), sql::migrations().size());
}

TEST(Migrations, NameTheGrantThatIsMissing) {
    Empty database;
    database.sql.exec("drop role if exists \"Odd Role\"; drop role if exists other_role; "
                      "create role \"Odd Role\" login; create role other_role login");
    auto sql = database.cluster.connect(database.name, "Odd Role");
    const auto grant = error_of([&] { migrate(sql); });
    EXPECT_EQ(grant.remedy(), Remedy::stop);
    EXPECT_EQ(grant.sqlstate(), "42501");
    EXPECT_NE(grant.hint().find("grant create on database " + database.name + " to \"Odd Role\";"),
              std::string::npos)
        << grant.text();
    database.sql.exec(grant.hint().substr(grant.hint().find("grant create")));
    EXPECT_EQ(migrate(sql).size(), sql::migrations().size());

    auto other = database.cluster.connect(database.name, "other_role");
    const auto owner = error_of([&] { migrate(other); });
    EXPECT_EQ(owner.remedy(), Remedy::stop);
    const auto statement = owner.hint().find("grant \"Odd Role\" to other_role;");
    ASSERT_NE(statement, std::string::npos) << owner.text();
    database.sql.exec(owner.hint().substr(statement));
    EXPECT_TRUE(migrate(other).empty());
    database.sql.exec("reassign owned by \"Odd Role\" to postgres; drop owned by \"Odd Role\", "
                      "other_role; drop role \"Odd Role\", other_role");
}

TEST(Migrations, PrintAsAScriptThatPsqlRuns) {
    Empty database;
    const auto file = std::filesystem::temp_directory_path() / (database.name + ".sql");
    std::ofstream(file) << migration_script();
    const auto finished =
        support::run({support::Cluster::client("psql"), "-X", "-q", "-h", "127.0.0.1", "-p",
                      std::to_string(database.cluster.port()), "-U", "postgres", "-d",
                      database.name, "-f", file.string()});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_TRUE(schema_state(database.sql).complete());
    std::filesystem::remove(file);
}

} // namespace
} // namespace pgat::outbox
