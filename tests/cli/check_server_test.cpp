// What the preflight says of the server: who runs it, what holds it up; and all of it for programs.
#include <nlohmann/json.hpp>

#include "cli/fixture.hpp"

namespace pgat::cli {

namespace {

using support::Cluster;

class CheckServer : public CliTest {
  protected:
    // The remedies that a role without REPLICATION is given, by a server that has a role of this name.
    std::string remedies_where(const std::string &provider_role) {
        sql.exec("CREATE ROLE " + provider_role);
        const auto out = run({"check"}).out;
        sql.exec("DROP ROLE " + provider_role);
        return finding(out, "server") + finding(out, "wal_level") +
               finding(out, "max_slot_wal_keep_size") + finding(out, "privileges");
    }

    Cluster cluster{Cluster::Options{.settings = {{"wal_level", "replica"}}, .hba = {}}};
    postgres::Connection sql = cluster.connect("postgres");
};

TEST_F(CheckServer, GivesTheRemediesOfTheProviderThatRunsIt) {
    sql.exec("CREATE ROLE weak LOGIN; GRANT CREATE ON DATABASE postgres TO weak");
    configure(cluster, "postgres", "weak");
    const auto amazon = remedies_where("rds_superuser");
    EXPECT_NE(amazon.find(" of Amazon RDS"), std::string::npos) << amazon;
    EXPECT_NE(amazon.find("        set rds.logical_replication = 1 in the instance's parameter "
                          "group, then reboot"),
              std::string::npos)
        << amazon;
    EXPECT_NE(amazon.find("        GRANT rds_replication TO weak;"), std::string::npos) << amazon;
    EXPECT_NE(amazon.find("        set max_slot_wal_keep_size = 10240 in the instance's"),
              std::string::npos)
        << amazon;
    EXPECT_EQ(amazon.find("ALTER SYSTEM"), std::string::npos) << amazon;
    const auto google = remedies_where("cloudsqlsuperuser");
    EXPECT_NE(
        google.find("        set the instance's database flag cloudsql.logical_decoding = on"),
        std::string::npos)
        << google;
    EXPECT_NE(google.find("        ALTER ROLE weak REPLICATION;"), std::string::npos) << google;
    EXPECT_NE(remedies_where("azure_pg_admin").find("set the server parameter wal_level = logical"),
              std::string::npos);
    EXPECT_NE(remedies_where("neon_superuser").find("enable logical replication in the project's"),
              std::string::npos);
    EXPECT_NE(remedies_where("supabase_admin")
                  .find("supabase postgres-config update --config max_slot_wal_keep_size=10240"),
              std::string::npos);
    // On Amazon's servers a member of that role needs no attribute.
    sql.exec("CREATE ROLE rds_replication; GRANT rds_replication TO weak");
    EXPECT_EQ(finding(run({"check"}).out, "privileges"),
              "ok    privileges: role weak has all it needs");
}

TEST_F(CheckServer, NamesTransactionsThatAreOpenForLong) {
    configure(cluster, "postgres");
    EXPECT_EQ(finding(run({"check"}).out, "transactions"),
              "ok    transactions: none is open for more than 5 min 00 s");
    sql.exec("BEGIN; CREATE TABLE public.held (); SAVEPOINT open");
    const auto idle = finding(run({"check", "--transaction-age", "0"}).out, "transactions");
    EXPECT_TRUE(idle.starts_with("WARN  transactions: an idle transaction of postgres in postgres"))
        << idle;
    EXPECT_TRUE(idle.ends_with(
        fmt::format("\n        SELECT pg_terminate_backend({});", sql.backend_pid())))
        << idle;
    sql.exec("ROLLBACK");
    Cluster other(Cluster::Options{.settings = {{"max_prepared_transactions", "5"}}, .hba = {}});
    other.connect("postgres")
        .exec("BEGIN; CREATE TABLE public.held (); PREPARE TRANSACTION 'it''s'");
    configure(other, "postgres");
    const auto prepared = finding(run({"check", "--transaction-age", "0"}).out, "transactions");
    EXPECT_TRUE(
        prepared.starts_with("WARN  transactions: prepared transaction 'it''s' of postgres"))
        << prepared;
    EXPECT_NE(prepared.find("        ROLLBACK PREPARED 'it''s';"), std::string::npos) << prepared;
    other.connect("postgres").exec("ROLLBACK PREPARED 'it''s'");
}

TEST_F(CheckServer, IsToldToProgramsAsAnArray) {
    configure(cluster, "postgres");
    const auto finished = run({"check", "--json"});
    EXPECT_EQ(finished.status, 1);
    const auto array = nlohmann::json::parse(finished.out);
    const auto about = [&](const std::string &check) {
        for (const auto &each : array)
            if (each.at("check") == check) return each;
        return nlohmann::json();
    };
    EXPECT_EQ(about("config").at("result"), "ok");
    EXPECT_EQ(about("max_slot_wal_keep_size").at("result"), "warn");
    EXPECT_EQ(about("wal_level").at("result"), "fail");
    EXPECT_EQ(about("wal_level").at("found"), "is replica, must be logical");
    EXPECT_EQ(about("wal_level").at("mend").at(0), "ALTER SYSTEM SET wal_level = 'logical';");
}

} // namespace

} // namespace pgat::cli
