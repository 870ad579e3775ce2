#include <nlohmann/json.hpp>

#include "cli/fixture.hpp"

#include "support/waiting.hpp"

namespace pgat::cli {

namespace {

using support::Cluster;

class Teardown : public CliTest {
  protected:
    void SetUp() override {
        CliTest::SetUp();
        database_ = Cluster::shared().create_database();
        configure(Cluster::shared(), database_, "postgres", "  slot_name: " + slot() + "\n");
        ASSERT_EQ(run({"migrate"}).status, 0);
        session().exec("CREATE TABLE public.users (id bigint);"
                       "INSERT INTO async_triggers.subscriptions "
                       "(key, stream_id, operation, schema_name, table_name, column_names) "
                       "VALUES ('a', 1, 'INSERT', 'public', 'users', '{id}'), "
                       "       ('b', 2, 'INSERT', 'public', 'users', '{id}')");
        session().exec(
            "CREATE PUBLICATION async_triggers_stream_1 FOR TABLE async_triggers.events");
        session().exec("SELECT pg_create_logical_replication_slot('" + slot() + "', 'pgoutput')");
    }
    void TearDown() override {
        session().exec("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                       "WHERE slot_name = '" +
                       slot() + "'");
        CliTest::TearDown();
    }

    postgres::Connection session() const { return Cluster::shared().connect(database_); }
    std::string slot() const { return "slot_of_" + database_; }
    std::int64_t count(const std::string &from) const {
        return session().exec("SELECT count(*) FROM " + from).integer(0, 0);
    }
    bool slot_exists() const {
        return count("pg_replication_slots WHERE slot_name = '" + slot() + "'") == 1;
    }

    std::string database_;
};

TEST_F(Teardown, TellsProgramsWhatItRemoved) {
    // Nobody can be asked in the middle of JSON.
    EXPECT_EQ(run({"teardown", "--json"}).status, 2);
    const auto object = nlohmann::json::parse(run({"teardown", "--yes", "--json"}).out);
    ASSERT_EQ(object.at("removed").size(), 1U);
    const auto &removed = object.at("removed").at(0);
    EXPECT_EQ(removed.at("stream_id"), 1);
    EXPECT_EQ(removed.at("slot"), slot());
    EXPECT_EQ(removed.at("subscriptions"), 1);
    EXPECT_FALSE(slot_exists());
}

TEST_F(Teardown, RemovesOneStreamAndLeavesTheOthers) {
    const auto finished = run({"teardown", "--stream", "1", "--yes"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_NE(finished.out.find("stream 1: replication slot " + slot() + "\n"), std::string::npos)
        << finished.out;
    EXPECT_TRUE(finished.out.ends_with("stream 1 is retired\n")) << finished.out;
    EXPECT_FALSE(slot_exists());
    EXPECT_EQ(count("pg_publication"), 0);
    EXPECT_EQ(count("async_triggers.streams WHERE id = 1"), 0);
    EXPECT_EQ(count("async_triggers.streams WHERE id = 2"), 1);
    EXPECT_EQ(count("async_triggers.subscriptions WHERE stream_id = 1"), 0);
    EXPECT_EQ(count("async_triggers.subscriptions WHERE stream_id = 2"), 1);
    EXPECT_EQ(count("pg_trigger WHERE tgname = 'async_triggers_insert'"), 1);

    const auto again = run({"teardown", "--yes"});
    EXPECT_EQ(again.status, 0);
    EXPECT_EQ(again.out, "nothing to remove\n");
}

TEST_F(Teardown, RemovesAllStreams) {
    const auto finished = run({"teardown", "--all", "--yes"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_FALSE(slot_exists());
    EXPECT_EQ(count("async_triggers.streams"), 0);
    EXPECT_EQ(count("async_triggers.subscriptions"), 0);
    EXPECT_EQ(count("pg_trigger WHERE tgname LIKE 'async_triggers_%'"), 0);
}

TEST_F(Teardown, TakesTheEventsOfItsStreamAlongUnlessToldNotTo) {
    session().exec("INSERT INTO async_triggers.events (stream_id, payload) "
                   "SELECT n % 2 + 1, '{}' FROM generate_series(1, 10) n");
    const auto kept = run({"teardown", "--stream", "1", "--keep-events", "--yes"});
    EXPECT_EQ(kept.status, 0) << kept.err;
    EXPECT_EQ(count("async_triggers.events"), 10);
    const auto without_row = run({"teardown", "--stream", "1", "--yes"});
    EXPECT_NE(without_row.out.find("stream 1: its stored events, delivered or not\n"),
              std::string::npos)
        << without_row.out;
    EXPECT_EQ(count("async_triggers.events WHERE stream_id = 1"), 0);
    const auto with_row = run({"teardown", "--stream", "2", "--yes"});
    EXPECT_NE(with_row.out.find("stream 2: its stored events, 5 of them not delivered\n"),
              std::string::npos)
        << with_row.out;
    EXPECT_EQ(count("async_triggers.events"), 0);
}

TEST_F(Teardown, DoesNothingWithoutAYes) {
    const auto finished = run({"teardown"});
    EXPECT_EQ(finished.status, 2);
    EXPECT_NE(finished.err.find("\n  hint: add --yes if you mean it\n"), std::string::npos)
        << finished.err;
    EXPECT_TRUE(slot_exists());
    EXPECT_EQ(count("async_triggers.subscriptions"), 2);
}

TEST_F(Teardown, RefusesWhileADaemonReadsTheSlot) {
    const support::Process reader({Cluster::client("pg_recvlogical"), "-h", "127.0.0.1", "-p",
                                   std::to_string(Cluster::shared().port()), "-U", "postgres", "-d",
                                   database_, "--slot", slot(), "--start", "-o", "proto_version=1",
                                   "-o", "publication_names=async_triggers_stream_1", "-f", "-"});
    ASSERT_TRUE(support::eventually([&] {
        return count("pg_replication_slots WHERE active AND slot_name = '" + slot() + "'") == 1;
    }));
    const auto finished = run({"teardown", "--yes"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_TRUE(
        finished.err.starts_with("postgres-async-triggers: error: stream 1 is in use: a daemon "
                                 "reads slot " +
                                 slot()))
        << finished.err;
    EXPECT_EQ(count("async_triggers.subscriptions"), 2);
    EXPECT_TRUE(slot_exists());
}

} // namespace

} // namespace pgat::cli
