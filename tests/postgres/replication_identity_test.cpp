#include "replication/server_identity.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "replication/stream.hpp"
#include "support/cluster.hpp"
#include "support/failure.hpp"
#include "support/waiting.hpp"

namespace pgat::replication {
namespace {

using support::Cluster;
using support::failure_of;

ServerIdentity by_replication(const Cluster &cluster, const std::string &database,
                              const std::string &user = "postgres") {
    postgres::SessionOptions options;
    options.keywords = cluster.keywords(database, user);
    auto session = postgres::Connection::open(replication_session(options));
    return identify_replication(session);
}

ServerIdentity by_sql(const Cluster &cluster, const std::string &database,
                      const std::string &user = "postgres") {
    auto session = cluster.connect(database, user);
    return identify_sql(session);
}

TEST(ServerIdentity, IsTheSameOnBothSidesForARoleWithReplicationAlone) {
    auto &cluster = Cluster::shared();
    cluster.connect("postgres").exec("CREATE ROLE plain LOGIN REPLICATION");
    const auto replication = by_replication(cluster, "postgres", "plain");
    const auto sql = by_sql(cluster, "postgres", "plain");
    EXPECT_EQ(sql.system_identifier, replication.system_identifier);
    EXPECT_GT(sql.system_identifier.size(), 10U);
    EXPECT_EQ(sql.timeline, Timeline(1));
    EXPECT_EQ(replication.timeline, Timeline(1));
    EXPECT_EQ(sql.database, "postgres");
    EXPECT_TRUE(replication.position.valid());
    EXPECT_GE(sql.position, replication.position);
    EXPECT_NO_THROW(require_one_primary(sql, replication));
}

TEST(ServerIdentity, TellsTwoServersApart) {
    // Made by another initdb: clusters of one encoding are copies of one and the same.
    Cluster::Options options;
    options.encoding = "LATIN1";
    Cluster other(options);
    const auto error = failure_of([&] {
        require_one_primary(by_sql(Cluster::shared(), "postgres"),
                            by_replication(other, "postgres"));
    });
    EXPECT_EQ(error.remedy(), Remedy::reconnect);
}

TEST(ServerIdentity, TellsTwoDatabasesApart) {
    auto &cluster = Cluster::shared();
    const auto error = failure_of([&] {
        require_one_primary(by_sql(cluster, "postgres"), by_replication(cluster, "template1"));
    });
    EXPECT_EQ(error.remedy(), Remedy::configure);
}

TEST(ServerIdentity, SaysWhichGrantIsMissing) {
    auto &cluster = Cluster::shared();
    const auto database = cluster.create_database();
    auto owner = cluster.connect(database);
    owner.exec("CREATE ROLE unprivileged LOGIN;"
               "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
    const auto sql = by_sql(cluster, database, "unprivileged");
    EXPECT_EQ(sql.system_identifier, "");
    const auto error =
        failure_of([&] { require_one_primary(sql, by_replication(cluster, database)); });
    EXPECT_EQ(error.remedy(), Remedy::stop);
    EXPECT_NE(error.hint().find("pg_control_system"), std::string::npos);
}

TEST(ServerIdentity, RefusesAStandbyAndSeesItsPromotion) {
    Cluster cluster;
    const auto before = by_sql(cluster, "postgres");
    cluster.stop();
    std::ofstream(cluster.folder() / "data" / "standby.signal").close();
    cluster.start();
    const auto standby = by_sql(cluster, "postgres");
    EXPECT_TRUE(standby.in_recovery);
    EXPECT_TRUE(by_replication(cluster, "postgres").in_recovery);
    EXPECT_EQ(failure_of([&] {
                  require_one_primary(standby, by_replication(cluster, "postgres"));
              }).remedy(),
              Remedy::reconnect);

    EXPECT_TRUE(cluster.connect("postgres").exec("SELECT pg_promote()").boolean(0, 0));
    ASSERT_TRUE(support::eventually([&] { return !by_sql(cluster, "postgres").in_recovery; }));
    const auto promoted = by_sql(cluster, "postgres");
    EXPECT_EQ(promoted.timeline, Timeline(2));
    EXPECT_NO_THROW(require_one_primary(promoted, by_replication(cluster, "postgres")));
    // One side still on the old primary.
    EXPECT_EQ(failure_of([&] {
                  require_one_primary(before, by_replication(cluster, "postgres"));
              }).remedy(),
              Remedy::reconnect);
}

} // namespace
} // namespace pgat::replication
