#include <gtest/gtest.h>

#include "postgres/connection.hpp"
#include "postgres/sqlstate.hpp"
#include "support/cluster.hpp"

namespace pgat::postgres {
namespace {

using support::Cluster;

Error failure_of(const std::function<void()> &action) {
    try {
        action();
    } catch (const Error &error) {
        return error;
    }
    throw std::logic_error("nothing was thrown");
}

TEST(Connection, AnswersAStatementWithParameters) {
    auto session = Cluster::shared().connect("postgres");
    const auto result =
        session.exec("SELECT $1::bigint + 1, $2::text, $3::pg_lsn, $4::boolean, $5::text",
                     {41, "a'b", Lsn(0x1600000028), true, std::nullopt});
    EXPECT_EQ(result.integer(0, 0), 42);
    EXPECT_EQ(result.text(0, 1), "a'b");
    EXPECT_EQ(result.lsn(0, 2), Lsn(0x1600000028));
    EXPECT_TRUE(result.boolean(0, 3));
    EXPECT_TRUE(result.null(0, 4));
}

TEST(Connection, GivesTheLastResultOfSeveralStatements) {
    auto session = Cluster::shared().connect("postgres");
    EXPECT_EQ(session.exec("SELECT 1; SELECT 2").integer(0, 0), 2);
}

TEST(Connection, StaysUsableAfterAnErrorOfTheStatement) {
    auto session = Cluster::shared().connect("postgres");
    const auto error = failure_of([&] { session.exec("SELECT * FROM nowhere"); });
    EXPECT_EQ(error.sqlstate(), sqlstate::undefined_table);
    EXPECT_EQ(error.remedy(), Remedy::retry);
    EXPECT_TRUE(session.usable());
    EXPECT_EQ(session.exec("SELECT 1").integer(0, 0), 1);
}

TEST(Connection, AsksToReconnectWhenTheServerEndsTheSession) {
    auto session = Cluster::shared().connect("postgres");
    auto other = Cluster::shared().connect("postgres");
    other.exec("SELECT pg_terminate_backend($1)", {session.backend_pid()});
    const auto error = failure_of([&] { session.exec("SELECT 1"); });
    EXPECT_EQ(error.remedy(), Remedy::reconnect);
    EXPECT_FALSE(session.usable());
}

TEST(Connection, AsksToReconnectWhenNobodyListens) {
    SessionOptions options;
    options.keywords = {{"host", "127.0.0.1"}, {"port", std::to_string(support::free_port())}};
    const auto error = failure_of([&] { Connection::open(options); });
    EXPECT_EQ(error.remedy(), Remedy::reconnect);
    EXPECT_NE(std::string(error.what()).find("Connection refused"), std::string::npos)
        << error.what();
}

TEST(Connection, GivesTheSqlstateOfARefusalAndAHint) {
    const auto error = failure_of([] { Cluster::shared().connect("nowhere"); });
    EXPECT_EQ(error.remedy(), Remedy::reconnect);
    EXPECT_EQ(error.sqlstate(), sqlstate::invalid_catalog_name);
    EXPECT_EQ(std::string(error.what()),
              "cannot connect to Postgres: connection to server at \"127.0.0.1\", port " +
                  std::to_string(Cluster::shared().port()) +
                  " failed: FATAL:  database \"nowhere\" does not exist");
    EXPECT_EQ(error.hint(), "check the database's name, or create it");
}

TEST(Connection, DoesNotShowAConnectionStringThatCannotBeRead) {
    for (const char *text : {"host=db password=my hunter2", "postgres://me:%hunter2@db/z",
                             "postgres://me:hunter2/x@db/z", "postgres://me:x@hunter2@db/z"}) {
        SessionOptions options;
        options.keywords = {{"dbname", text}};
        const auto error = failure_of([&] { Connection::open(options); });
        EXPECT_EQ(error.remedy(), Remedy::configure);
        EXPECT_EQ(error.text().find("hunter2"), std::string::npos) << error.text();
    }
}

TEST(Connection, EndsAWaitWhenItsInterruptRings) {
    Wakeup bell;
    bell.ring();
    auto session = Cluster::shared().connect("postgres");
    session.interrupt_by(&bell);
    const auto error = failure_of([&] { session.exec("SELECT pg_sleep(60)"); });
    EXPECT_EQ(error.remedy(), Remedy::interrupted);
    // Whoever missed that is told again, and gets nobody else's answer.
    const auto again = failure_of([&] { session.exec("SELECT 1"); });
    EXPECT_EQ(again.remedy(), Remedy::interrupted) << again.text();
}

TEST(Connection, GivesUpWaitingForAnAnswerThatDoesNotComeInTime) {
    auto session = Cluster::shared().connect("postgres");
    session.answer_within(std::chrono::milliseconds(50));
    const auto error = failure_of([&] { session.exec("SELECT pg_sleep(60)"); });
    EXPECT_EQ(error.remedy(), Remedy::reconnect);
    EXPECT_EQ(failure_of([&] { session.exec("SELECT 1"); }).remedy(), Remedy::reconnect);
}

TEST(Connection, CopiesOutEveryRow) {
    auto session = Cluster::shared().connect("postgres");
    std::int64_t sum = 0;
    session.copy_out("COPY (SELECT generate_series(1, 100000)) TO STDOUT",
                     [&](std::string_view row) { sum += std::stoll(std::string(row)); });
    EXPECT_EQ(sum, 5000050000);
    EXPECT_EQ(session.exec("SELECT 1").integer(0, 0), 1);
}

TEST(Connection, ReportsAnErrorInTheMiddleOfACopy) {
    auto session = Cluster::shared().connect("postgres");
    int rows = 0;
    const auto error = failure_of([&] {
        session.copy_out("COPY (SELECT 1 / (1000 - i) FROM generate_series(1, 2000) i) TO STDOUT",
                         [&](std::string_view) { ++rows; });
    });
    EXPECT_EQ(error.sqlstate(), "22012");
    EXPECT_GT(rows, 0);
}

TEST(Connection, QuotesWhateverANameHolds) {
    auto session = Cluster::shared().connect("postgres");
    EXPECT_EQ(session.quote_identifier("Order \"Items\""), "\"Order \"\"Items\"\"\"");
    EXPECT_EQ(session.quote_literal("it's"), "'it''s'");
}

} // namespace
} // namespace pgat::postgres
