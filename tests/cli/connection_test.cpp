// What is said when Postgres cannot be reached, or does not let us in.
#include "cli/fixture.hpp"

#include <sys/stat.h>

namespace pgat::cli {

namespace {

class ConnectionTrouble : public CliTest {
  protected:
    static support::Cluster &guarded() {
        static support::Cluster cluster(support::Cluster::Options{
            .settings = {}, .hba = {"host all app 127.0.0.1/32 scram-sha-256"}});
        return cluster;
    }
};

TEST_F(ConnectionTrouble, NamesAServerThatIsNotThere) {
    const int port = support::free_port();
    configure(fmt::format("stream: {{pg_connection: {{host: 127.0.0.1, port: {}}}}}", port));
    const std::string text =
        fmt::format("cannot connect to Postgres: connection to server at \"127.0.0.1\", port {} "
                    "failed: Connection refused",
                    port);
    const auto migrate = run({"migrate"});
    EXPECT_EQ(migrate.status, 1);
    EXPECT_TRUE(migrate.err.starts_with("postgres-async-triggers: error: " + text)) << migrate.err;
    EXPECT_NE(migrate.err.find("\n  hint: check host and port, that Postgres runs there"),
              std::string::npos)
        << migrate.err;

    const auto check = run({"check"});
    EXPECT_EQ(check.status, 1);
    EXPECT_TRUE(finding(check.out, "connection").starts_with("FAIL  connection: " + text))
        << check.out;
}

TEST_F(ConnectionTrouble, TellsAWrongPasswordWithoutShowingIt) {
    guarded()
        .connect("postgres")
        .exec("CREATE ROLE app LOGIN PASSWORD 'right'; GRANT CONNECT ON DATABASE postgres TO app");
    configure(guarded(), "postgres", "app");
    const std::string variable = "ASYNC_TRIGGERS_STREAM__PG_CONNECTION__PASSWORD";
    const auto check = run({"check"}, {{variable, "hunter2"}});
    EXPECT_EQ(check.status, 1);
    EXPECT_EQ(
        finding(check.out, "connection"),
        fmt::format("FAIL  connection: cannot connect to Postgres: connection to server at "
                    "\"127.0.0.1\", port {} failed: FATAL:  password authentication failed for "
                    "user \"app\"\n"
                    "        check user and password, and that this is the server they are for",
                    guarded().port()));
    EXPECT_EQ((check.out + check.err).find("hunter2"), std::string::npos);
    EXPECT_TRUE(finding(run({"check"}, {{variable, "right"}}).out, "connection").starts_with("ok"));
    const std::string file = write("password", "right\n");
    ::chmod(folder().c_str(), 0755);
    EXPECT_TRUE(
        finding(run({"check"}, {{variable + "_FILE", file}}).out, "connection").starts_with("ok"));
}

TEST_F(ConnectionTrouble, NamesADatabaseThatIsMissing) {
    configure(guarded(), "nowhere");
    const auto finished = run({"migrate"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_NE(finished.err.find("database \"nowhere\" does not exist\n  hint: check the database's "
                                "name, or create it\n"),
              std::string::npos)
        << finished.err;
}

} // namespace

} // namespace pgat::cli
