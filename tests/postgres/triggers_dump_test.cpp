// A database dumped and restored elsewhere: its subscriptions publish there as they did.
#include <filesystem>
#include <fstream>

#include "postgres/subscribed_database.hpp"
#include "support/process.hpp"

namespace pgat {
namespace {

using testing::SubscribedDatabase;

TEST(DumpAndRestore, TakesTriggersAndTheirSubscriptionsAlong) {
    SubscribedDatabase database;
    database.owner.exec("create table users (id int, email text, active boolean)");
    const auto &cluster = support::Cluster::shared();
    if (!std::filesystem::exists(cluster.bin() / "pg_dump"))
        GTEST_SKIP() << "this server came without pg_dump";
    database.subscribe("a", "INSERT", "users", "array['id']", "'new.active'");
    const auto other = support::Cluster::shared().create_database();
    const auto port = std::to_string(cluster.port());
    // Oids must not be the same by chance.
    cluster.connect(other).exec("create table filler (id int); drop table filler");
    const auto dump = support::run({cluster.bin() / "pg_dump", "-h", "127.0.0.1", "-p", port, "-U",
                                    "postgres", database.name});
    ASSERT_EQ(dump.status, 0) << dump.err;
    const auto file = cluster.folder() / "dump.sql";
    std::ofstream(file) << dump.out;
    const auto restored =
        support::run({cluster.client("psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1",
                      "-p", port, "-U", "postgres", "-d", other, "-f", file});
    ASSERT_EQ(restored.status, 0) << restored.err;
    auto session = cluster.connect(other);
    session.exec("insert into users values (1, 'x', true), (2, 'y', false)");
    EXPECT_EQ(SubscribedDatabase::value(session, "select count(*) from async_triggers.events"),
              "1");
    EXPECT_EQ(SubscribedDatabase::value(
                  session, "select count(*) from async_triggers.subscription_problems()"),
              "0");
    session.exec("update async_triggers.subscriptions set column_names = '{email}'; insert into "
                 "users values (3, 'z', true)");
    EXPECT_EQ(SubscribedDatabase::value(
                  session,
                  "select payload ->> 'new' from async_triggers.events order by id desc limit 1"),
              R"({"email": "z"})");
    session.exec("delete from async_triggers.subscriptions");
    EXPECT_EQ(SubscribedDatabase::value(
                  session, "select count(*) from pg_proc where proname like '\\_publish\\_after%'"),
              "0");
}

} // namespace
} // namespace pgat
