#include "config/connection_string.hpp"

#include <gtest/gtest.h>

namespace pgat::config {

namespace {

TEST(ConnectionParameters, LeaveOutWhatIsNotConfigured) {
    EXPECT_EQ(connection_parameters({}), ConnectionParameters());
}

TEST(ConnectionParameters, PutTheUriFirstSoThatTheOtherKeysWin) {
    PgConnection connection;
    connection.uri = "postgres://somewhere/other";
    connection.host = "db";
    connection.port = 6432;
    connection.name = "mydb";
    connection.username = "me";
    connection.password = "pw";
    connection.tls = {true, "", "/ca", "/cert", "/key"};
    EXPECT_EQ(connection_parameters(connection),
              (ConnectionParameters{{"dbname", "postgres://somewhere/other"},
                                    {"host", "db"},
                                    {"port", "6432"},
                                    {"dbname", "mydb"},
                                    {"user", "me"},
                                    {"password", "pw"},
                                    {"sslmode", "verify-full"},
                                    {"sslrootcert", "/ca"},
                                    {"sslcert", "/cert"},
                                    {"sslkey", "/key"}}));
    EXPECT_EQ(describe(connection), "db:6432/mydb as me");
}

TEST(ConnectionParameters, TakeAnExplicitTlsModeOverEnabled) {
    PgConnection connection;
    connection.tls.enabled = true;
    connection.tls.mode = "require";
    EXPECT_EQ(connection_parameters(connection), (ConnectionParameters{{"sslmode", "require"}}));
}

} // namespace

} // namespace pgat::config
