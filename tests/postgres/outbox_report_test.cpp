#include "outbox/report/stream_report.hpp"

#include <gtest/gtest.h>

#include "outbox/capture.hpp"
#include "outbox/failover_state.hpp"
#include "outbox/kept_letters.hpp"
#include "outbox/partitions.hpp"
#include "outbox/report/subscription_report.hpp"
#include "outbox/stream_row.hpp"
#include "outbox_database.hpp"
#include "replication/stream.hpp"

namespace pgat::outbox {
namespace {

using namespace std::chrono_literals;
using support::Cluster;

const Home here{"7000000000000000001", 1};

class StreamReports : public testing::Test {
  protected:
    ~StreamReports() override {
        database.sql.exec("select pg_drop_replication_slot(slot_name) from pg_replication_slots "
                          "where slot_name = $1 and not active",
                          {slot()});
    }
    std::string slot() const { return "report_" + database.name(); }
    StreamReport read() { return read(database.sql); }
    StreamReport read(postgres::Connection &connection) {
        return read_stream_report(connection, {StreamId(1), slot(), 3, 7});
    }
    // The daemon's way, as far as the database sees it: sessions of that name.
    postgres::SessionOptions daemon_session(const std::string &name) {
        postgres::SessionOptions options;
        options.keywords = Cluster::shared().keywords(database.name());
        options.keywords.emplace_back("application_name", name);
        return options;
    }
    void deliver_everything(const Ownership &ours) {
        Cursor cursor;
        const auto capture = take_capture(database.sql);
        cursor.advance(capture.snapshot, EventId(0));
        store_cursor(database.sql, ours, cursor, capture.wal);
    }

    Database database;
};

TEST_F(StreamReports, SayThatNoDaemonHasRunYetAndWhatWaitsForTheFirst) {
    database.write(3, 1);
    database.write(2, 2);
    const auto report = read();
    EXPECT_EQ(report.state(), StreamState::never_started);
    EXPECT_FALSE(report.row);
    EXPECT_FALSE(report.slot);
    EXPECT_FALSE(report.publication);
    EXPECT_EQ(report.lag.events_at_least, 3);
    EXPECT_TRUE(report.lag.exact());
    EXPECT_TRUE(report.lag.oldest);
    EXPECT_FALSE(report.lag.bytes);
    EXPECT_EQ(report.server.database, database.name());
    EXPECT_FALSE(report.server.in_recovery);
    EXPECT_EQ(report.schema, report.newest_schema);
    EXPECT_TRUE(report.unread.empty());
}

TEST_F(StreamReports, OfADatabaseWithoutOurSchemaSayNoMore) {
    auto other = Cluster::shared().connect(Cluster::shared().create_database());
    const auto report = read(other);
    EXPECT_EQ(report.schema, 0);
    EXPECT_GT(report.newest_schema, 0);
    EXPECT_EQ(report.state(), StreamState::never_started);
    EXPECT_FALSE(report.partitions);
    EXPECT_TRUE(report.unread.empty());
}

TEST_F(StreamReports, TellADaemonThatReadsFromOneThatStartsAndFromNone) {
    const auto ours = take_stream(database.sql, StreamId(1), here).ownership;
    EXPECT_EQ(read().state(), StreamState::away);
    const std::string name = "async_triggers_1_4711_0badcafe";
    {
        auto session = postgres::Connection::open(daemon_session(name));
        const auto report = read();
        EXPECT_EQ(report.state(), StreamState::starting);
        ASSERT_EQ(report.daemons.size(), 1U);
        EXPECT_EQ(report.daemons[0].name, name);
        EXPECT_FALSE(report.daemons[0].reads_slot);
    }
    database.sql.exec("create publication " + slot() + " for table async_triggers.events");
    database.sql.exec("select pg_create_logical_replication_slot($1, 'pgoutput')", {slot()});
    const replication::ReplicationStream reader(
        postgres::Connection::open(replication::replication_session(daemon_session(name))),
        {slot(), slot(), Lsn()}, nullptr);
    const auto standby = postgres::Connection::open(daemon_session("async_triggers_1_12_deadbeef"));
    // Of another stream.
    const auto other = postgres::Connection::open(daemon_session("async_triggers_11_12_deadbeef"));
    const auto report = read();
    EXPECT_EQ(report.state(), StreamState::streaming);
    ASSERT_TRUE(report.slot);
    EXPECT_EQ(report.slot->reader, name);
    EXPECT_TRUE(report.slot->in_this_database);
    ASSERT_EQ(report.daemons.size(), 2U);
    EXPECT_EQ(report.daemons[0].name, name);
    EXPECT_TRUE(report.daemons[0].reads_slot);
    EXPECT_FALSE(report.daemons[1].reads_slot);
    EXPECT_EQ(report.row->generation, ours.generation.value());

    const Timestamp now = server_time(database.sql);
    store_failover(database.sql, ours,
                   FailoverState{Position{EventId(7), now}, now, "connection refused", 12, now});
    const auto outage = read();
    EXPECT_EQ(outage.state(), StreamState::failover);
    ASSERT_TRUE(outage.row->outage);
    EXPECT_EQ(outage.row->outage->reason, "connection refused");
    EXPECT_EQ(outage.row->outage->waiting, 12);
    EXPECT_EQ(outage.row->outage->since, now);
    EXPECT_EQ(outage.row->outage->next_attempt, now);
    EXPECT_EQ(outage.row->checkpoint, EventId(7));
}

TEST_F(StreamReports, CountWhatTheRowDoesNotHoldAndSayHowOldItIs) {
    const auto ours = take_stream(database.sql, StreamId(1), here).ownership;
    database.write(5, 1);
    deliver_everything(ours);
    EXPECT_EQ(read().lag.events_at_least, 0);
    EXPECT_FALSE(read().lag.oldest);
    database.write(4, 1);
    database.write(9, 2);
    database.sql.exec("insert into async_triggers.events (stream_id, payload, created_at) "
                      "values (1, '{}', now() - interval '100 seconds')");
    const auto report = read();
    EXPECT_EQ(report.lag.events_at_least, 5);
    EXPECT_TRUE(report.lag.exact());
    ASSERT_TRUE(report.lag.oldest);
    const auto age = report.server.now.value() - report.lag.oldest->value();
    EXPECT_GE(age, 100'000'000);
    EXPECT_LT(age, 400'000'000);
}

TEST_F(StreamReports, LookAtNoMoreRowsThanTheyMay) {
    take_stream(database.sql, StreamId(1), here);
    database.write(60'000, 1);
    const auto report = read();
    EXPECT_EQ(report.lag.events_at_least, lag_rows);
    EXPECT_EQ(report.lag.events_at_most, 60'000);
    EXPECT_FALSE(report.lag.exact());
}

TEST_F(StreamReports, MeasureWhatTheSlotIsBehindInBytes) {
    database.sql.exec("select pg_create_logical_replication_slot($1, 'pgoutput')", {slot()});
    const auto before = read();
    ASSERT_TRUE(before.lag.bytes);
    database.write(10'000, 1);
    const auto after = read();
    EXPECT_GT(*after.lag.bytes, *before.lag.bytes + 1'000'000);
    EXPECT_GT(after.slot->wal_held, 1'000'000U);
    EXPECT_EQ(after.slot->slot.wal_status, "reserved");
    EXPECT_EQ(after.slot->reader, "");
}

TEST_F(StreamReports, NameThePartitionsThatAreMissing) {
    auto report = read();
    ASSERT_TRUE(report.partitions);
    EXPECT_FALSE(report.partitions->today);
    EXPECT_EQ(report.partitions->missing.size(), 4U);
    EXPECT_EQ(report.partitions->count, 0);
    PartitionWork work;
    create_partitions(database.sql, PartitionPolicy{}, work);
    report = read();
    EXPECT_TRUE(report.partitions->today);
    EXPECT_EQ(report.partitions->days_ahead, 3);
    EXPECT_EQ(report.partitions->count, 4);
    EXPECT_EQ(report.partitions->oldest, work.created.front());
    EXPECT_TRUE(report.partitions->missing.empty());
    EXPECT_GT(report.partitions->bytes, 0);
    database.sql.exec("drop table async_triggers." + work.created.at(1));
    report = read();
    EXPECT_EQ(report.partitions->days_ahead, 0);
    EXPECT_EQ(report.partitions->missing, std::vector{work.created.at(1)});
    database.sql.exec("create table async_triggers.events_20200102 partition of "
                      "async_triggers.events for values from ('2020-01-02') to ('2020-01-03')");
    report = read();
    EXPECT_EQ(report.partitions->past_retention, 1);
    EXPECT_EQ(report.partitions->oldest, "events_20200102");
    database.sql.exec("insert into async_triggers.events (stream_id, payload, created_at) "
                      "values (1, '{}', '2020-06-01')");
    EXPECT_EQ(read().partitions->default_rows, 1);
}

TEST_F(StreamReports, CountDeadLettersAndShowTheOneThatFailedLast) {
    EXPECT_EQ(read().dead_letters->count, 0);
    database.sql.exec(
        "insert into async_triggers.dead_letters (event_id, stream_id, payload, event_created_at, "
        "reason, attempts, failed_at) select n, 1, '{}', now(), 'reason ' || n, 1, "
        "now() - make_interval(mins => 40 * n) from generate_series(1, 3) n");
    database.sql.exec("insert into async_triggers.dead_letters (event_id, stream_id, "
                      "event_created_at) values (1, 2, now())");
    const auto report = read();
    EXPECT_EQ(report.dead_letters->count, 3);
    EXPECT_EQ(report.dead_letters->last_hour, 1);
    EXPECT_EQ(report.dead_letters->newest, EventId(1));
    EXPECT_EQ(report.dead_letters->newest_reason, "reason 1");
}

TEST_F(StreamReports, SayWhatCouldNotBeReadAndReadTheRest) {
    database.sql.exec("do $$ begin if to_regrole('half_blind') is null then create role "
                      "half_blind login; end if; end $$;"
                      "grant usage on schema async_triggers to half_blind;"
                      "grant select on async_triggers.streams, async_triggers.schema_migrations "
                      "to half_blind");
    auto session = database.connect("half_blind");
    take_stream(database.sql, StreamId(1), here);
    const auto report = read(session);
    EXPECT_TRUE(report.row);
    EXPECT_FALSE(report.dead_letters);
    std::string sections;
    for (const auto &unread : report.unread)
        sections += unread.section + ", ";
    EXPECT_NE(sections.find("dead letters"), std::string::npos) << sections;
    EXPECT_NE(sections.find("lag"), std::string::npos) << sections;
}

TEST_F(StreamReports, DoNotWaitForAPartitionThatSomebodyHasLocked) {
    PartitionWork work;
    create_partitions(database.sql, PartitionPolicy{}, work);
    auto other = database.connect();
    other.exec("begin");
    other.exec("lock table async_triggers." + work.created.at(0));
    const auto begun = std::chrono::steady_clock::now();
    const auto report = read();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 20s);
    EXPECT_FALSE(report.unread.empty());
    EXPECT_TRUE(report.dead_letters);
    other.exec("rollback");
}

TEST_F(StreamReports, NameSubscriptionsThatCannotWorkAnyMore) {
    database.sql.exec("create table public.items (id bigint, name text);"
                      "insert into async_triggers.subscriptions (key, stream_id, operation, "
                      "schema_name, table_name, column_names) values "
                      "('good', 1, 'INSERT', 'public', 'items', '{id}'), "
                      "('named', 1, 'UPDATE', 'public', 'items', '{name}')");
    EXPECT_TRUE(read_subscription_problems(database.sql, StreamId(1)).empty());
    database.sql.exec("alter table public.items drop column name");
    const auto problems = read_subscription_problems(database.sql, StreamId(1));
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].key, "named");
    EXPECT_NE(problems[0].problem.find("name"), std::string::npos);
    EXPECT_EQ(read().subscriptions, 2);
    EXPECT_EQ(read().subscribed_tables, 1);
    EXPECT_TRUE(read_subscription_problems(database.sql, StreamId(2)).empty());
}

} // namespace
} // namespace pgat::outbox
