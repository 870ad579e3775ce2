#include "postgres/subscribed_database.hpp"

namespace pgat {
namespace {

using testing::SubscribedDatabase;

std::string columns_of(SubscribedDatabase &database, const std::string &table) {
    return database.value("select string_agg(attname || ' ' || format_type(atttypid, atttypmod), "
                          "', ' order by attnum) "
                          "from pg_attribute where attrelid = 'async_triggers." +
                          table + "'::regclass and attnum > 0");
}

TEST(Migrations, AreNumberedWithoutGaps) {
    int expected = 1;
    for (const auto &migration : sql::migrations()) {
        EXPECT_EQ(migration.version, expected++);
        EXPECT_FALSE(migration.name.empty());
        EXPECT_FALSE(migration.text.empty());
    }
    EXPECT_GT(expected, 1);
}

TEST(Migrations, MakeTheTablesOfTheContract) {
    SubscribedDatabase database;
    EXPECT_EQ(columns_of(database, "subscriptions"),
              "id uuid, key text, stream_id bigint, operation async_triggers.operation_type, "
              "schema_name text, "
              "table_name text, when_clause text, column_names text[], metadata jsonb, "
              "payload_extensions jsonb");
    EXPECT_EQ(columns_of(database, "events"),
              "xid xid8, id bigint, stream_id bigint, created_at timestamp with time zone, payload "
              "jsonb, metadata jsonb");
    EXPECT_EQ(columns_of(database, "dead_letters"),
              "event_id bigint, stream_id bigint, payload jsonb, metadata jsonb, event_created_at "
              "timestamp with time "
              "zone, reason text, attempts integer, failed_at timestamp with time zone");
    EXPECT_EQ(columns_of(database, "schema_migrations"),
              "version integer, name text, applied_at timestamp with time zone");
    EXPECT_EQ(
        database.value("select cache_size from pg_sequences where sequencename = 'events_id_seq'"),
        "1");
    EXPECT_EQ(database.value(
                  "select reloptions from pg_class where oid = 'async_triggers.streams'::regclass"),
              "{fillfactor=50}");
}

TEST(Migrations, ApplyWhereTheSchemaIsThereAlreadyAndTheDatabaseIsNotOurs) {
    SubscribedDatabase database;
    const auto name = support::Cluster::shared().create_database();
    support::Cluster::shared().connect(name).exec(
        "create schema async_triggers authorization daemon");
    auto daemon = support::Cluster::shared().connect(name, "daemon");
    for (const auto &migration : sql::migrations())
        daemon.exec("begin;" + std::string(migration.text) + ";commit");
    EXPECT_EQ(
        SubscribedDatabase::value(daemon, "select count(*) from async_triggers.subscriptions"),
        "0");
}

TEST(Streams, TellFailoverByTheCheckpoint) {
    SubscribedDatabase database;
    database.daemon.exec("insert into async_triggers.streams (id) values (1), (2)");
    EXPECT_EQ(database.value("select distinct status from async_triggers.streams"), "streaming");
    database.daemon.exec(
        "update async_triggers.streams set failover_checkpoint_id = 7 where id = 1");
    EXPECT_EQ(database.value("select status from async_triggers.streams where id = 1"), "failover");
    EXPECT_EQ(
        database.value(
            "select count(distinct uid) from async_triggers.streams where uid ~ '^[0-9a-f]{16}$'"),
        "2");
}

TEST(Streams, AreUpdatedInPlace) {
    SubscribedDatabase database;
    database.daemon.exec("insert into async_triggers.streams (id) values (1)");
    for (int n = 0; n < 20; ++n)
        database.daemon.exec(
            "update async_triggers.streams set cursor_snapshot = pg_current_snapshot(), "
            "cursor_floor = cursor_floor + 1, updated_at = now()");
    database.daemon.exec("select pg_stat_force_next_flush()");
    EXPECT_EQ(database.value(
                  "select n_tup_hot_upd = n_tup_upd and n_tup_upd = 20 from pg_stat_user_tables "
                  "where relid = 'async_triggers.streams'::regclass"),
              "t");
}

TEST(Events, AreWrittenByAnApplicationThatMayInsertThreeColumns) {
    SubscribedDatabase database;
    database.daemon.exec(
        "grant usage on schema async_triggers to stranger;"
        "grant insert (stream_id, payload, metadata) on async_triggers.events to stranger");
    auto application = database.connect("stranger");
    application.exec("insert into async_triggers.events (stream_id, payload, metadata) values (1, "
                     "'{\"a\": 1}', '{}')");
    EXPECT_EQ(database.payload(), "{\"a\": 1}");
    EXPECT_EQ(SubscribedDatabase::refusal(
                  application,
                  "insert into async_triggers.events (id, stream_id, payload) values (1, 1, '{}')")
                  .sqlstate(),
              "42501");
    EXPECT_EQ(SubscribedDatabase::refusal(application, "select payload from async_triggers.events")
                  .sqlstate(),
              "42501");
}

TEST(Events, TakeTheTransactionsIdBeforeTheirOwn) {
    SubscribedDatabase database;
    // Defaults run in the order of the columns.
    EXPECT_EQ(
        database.value(
            "select (select attnum from pg_attribute where attrelid = c and attname = 'xid') < "
            "(select attnum from pg_attribute where attrelid = c and attname = 'id') "
            "from (select 'async_triggers.events'::regclass) t(c)"),
        "t");
    database.admin.exec(
        "begin; insert into async_triggers.events (stream_id, payload) values (1, '{}')");
    EXPECT_EQ(database.value("select xid = pg_current_xact_id() from async_triggers.events"), "t");
    database.admin.exec("commit");
}

TEST(Events, FindAPlaceWithoutADaysPartition) {
    SubscribedDatabase database;
    database.daemon.exec("insert into async_triggers.events (stream_id, payload) values (1, '{}')");
    EXPECT_EQ(database.value("select count(*) from async_triggers.events_default"), "1");
}

TEST(Migrations, GrantSubscriptionsToNobody) {
    SubscribedDatabase database;
    auto stranger = database.connect("stranger");
    EXPECT_EQ(SubscribedDatabase::refusal(stranger, "select * from async_triggers.subscriptions")
                  .sqlstate(),
              "42501");
    database.daemon.exec("grant usage on schema async_triggers to stranger");
    EXPECT_EQ(SubscribedDatabase::refusal(
                  stranger, "insert into async_triggers.subscriptions (key) values ('x')")
                  .sqlstate(),
              "42501");
    EXPECT_EQ(SubscribedDatabase::refusal(stranger,
                                          "select async_triggers.set_subscriptions_json(1, '[]')")
                  .sqlstate(),
              "42501");
    // Functions that run with the owner's rights are for nobody else.
    EXPECT_EQ(
        database.value(
            "select count(*) from pg_proc where pronamespace = 'async_triggers'::regnamespace "
            "and prosecdef and has_function_privilege('public', oid, 'execute')"),
        "0");
    EXPECT_EQ(
        database.value(
            "select count(*) from pg_class where relnamespace = 'async_triggers'::regnamespace "
            "and relkind in ('r', 'p') and has_table_privilege('public', oid, "
            "'select, insert, update, delete, truncate, references, trigger')"),
        "0");
}

} // namespace
} // namespace pgat
