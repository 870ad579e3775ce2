#include "postgres/subscribed_database.hpp"

namespace pgat {
namespace {

using testing::SubscribedDatabase;

// Partitioned tables of another role; the daemon has TRIGGER on them and owns none.
class Partitioned : public ::testing::Test {
  protected:
    Partitioned() {
        database.owner.exec(
            "create table orders (id int, region text, total int) partition by list (region);"
            "create table orders_eu partition of orders for values in ('eu');"
            "create table orders_us partition of orders for values in ('us')");
    }
    std::string names() {
        return database.value("select coalesce(string_agg(payload ->> 'tg_op', ' ' order by id), "
                              "'') from async_triggers.events");
    }
    SubscribedDatabase database;
};

TEST_F(Partitioned, GiveEventsOfTheSubscribedTable) {
    database.subscribe("o", "INSERT", "orders", "array['id', 'region']", "'new.total > 1'");
    database.owner.exec("insert into orders values (1, 'eu', 2), (2, 'us', 1); insert into "
                        "orders_us values (3, 'us', 2)");
    EXPECT_EQ(database.value("select string_agg(distinct payload ->> 'tg_table_name', ' ') from "
                             "async_triggers.events"),
              "orders");
    EXPECT_EQ(database.value("select string_agg(payload #>> '{new,id}', ' ' order by id) from "
                             "async_triggers.events"),
              "1 3");
}

TEST_F(Partitioned, GiveADeleteAndAnInsertForARowThatMoves) {
    for (const auto *operation : {"INSERT", "UPDATE", "DELETE"})
        database.subscribe(operation, operation, "orders");
    database.owner.exec("insert into orders values (1, 'eu', 2)");
    database.owner.exec("update orders set total = 3; update orders set region = 'us'");
    EXPECT_EQ(names(), "INSERT UPDATE DELETE INSERT");
}

TEST_F(Partitioned, TakePartitionsThatTheirOwnerCreatesAttachesAndDetaches) {
    database.subscribe("o", "INSERT", "orders");
    database.owner.exec(
        "create table orders_asia partition of orders for values in ('asia') partition by range "
        "(id);"
        "create table orders_asia_1 partition of orders_asia for values from (0) to (10);"
        "create table orders_af (total int, region text, dropped int, id int); "
        "alter table orders_af drop dropped;"
        "alter table orders attach partition orders_af for values in ('af');"
        "insert into orders values (1, 'asia'), (2, 'af'); insert into orders_asia_1 values (3, "
        "'asia')");
    EXPECT_EQ(database.value("select string_agg(payload #>> '{new,id}', ' ' order by id) from "
                             "async_triggers.events"),
              "1 2 3");
    database.owner.exec(
        "alter table orders detach partition orders_af; insert into orders_af values (1, 'x', 5)");
    EXPECT_EQ(database.events(), "3");
    database.daemon.exec("delete from async_triggers.subscriptions");
    EXPECT_EQ(database.triggers() + database.functions(), "0");
}

TEST_F(Partitioned, CanBeSubscribedToBelowTheRoot) {
    database.owner.exec(
        "create table orders_asia partition of orders for values in ('asia') partition by range "
        "(id);"
        "create table orders_asia_1 partition of orders_asia for values from (0) to (10)");
    database.subscribe("middle", "INSERT", "orders_asia");
    database.subscribe("leaf", "INSERT", "orders_eu");
    database.owner.exec("insert into orders values (1, 'asia'), (2, 'eu'), (3, 'us')");
    EXPECT_EQ(database.value("select string_agg(payload ->> 'tg_table_name', ' ' order by id) from "
                             "async_triggers.events"),
              "orders_asia orders_eu");
    const auto error = database.refusal(
        "insert into async_triggers.subscriptions (key, stream_id, operation, schema_name, "
        "table_name) values ('root', 1, 'INSERT', 'public', 'orders')");
    EXPECT_EQ(error.sqlstate(), "42710");
    EXPECT_NE(error.hint().find("one of the two"), std::string::npos) << error.hint();
}

TEST_F(Partitioned, ReplaceTheFunctionWithoutALock) {
    database.subscribe("o", "INSERT", "orders");
    auto other = database.connect("owner");
    other.exec("begin; lock table orders in share row exclusive mode");
    database.daemon.exec("update async_triggers.subscriptions set column_names = array['total']");
    other.exec("commit");
    database.owner.exec("insert into orders values (1, 'eu', 7)");
    EXPECT_EQ(database.payload("{new}"), R"({"total": 7})");
}

class Stranger : public ::testing::Test {
  protected:
    Stranger() { database.owner.exec("create table users (id int)"); }
    std::string function() {
        return database.value("select oid::regproc from pg_proc where proname like '\\_publish%'");
    }
    SubscribedDatabase database;
};

TEST_F(Stranger, MayNotExecuteOurFunction) {
    database.subscribe("a", "INSERT", "users");
    database.daemon.exec("grant usage on schema async_triggers to stranger");
    auto stranger = database.connect("stranger");
    stranger.exec("create table forged (id int)");
    EXPECT_EQ(
        SubscribedDatabase::refusal(
            stranger, "create trigger async_triggers_insert after insert on forged for each row "
                      "execute function " +
                          function() + "()")
            .sqlstate(),
        "42501");
}

TEST_F(Stranger, ForgesNoEventsWithATableOfHisOwn) {
    // The owner of a partitioned table must have EXECUTE, and so can attach the function elsewhere.
    database.owner.exec(
        "create table parts (id int) partition by list (id); create table forged (id int);"
        "create table forged_parts (id int) partition by list (id);"
        "create table forged_part partition of forged_parts default");
    database.subscribe("a", "INSERT", "parts");
    database.daemon.exec("grant usage on schema async_triggers to owner");
    for (const auto *table : {"forged", "forged_parts"}) {
        database.owner.exec(fmt::format(
            "create trigger async_triggers_insert after insert on {} for each row execute function "
            "{}()",
            table, function()));
        const auto error = SubscribedDatabase::refusal(
            database.owner, fmt::format("insert into {} values (1)", table));
        EXPECT_EQ(error.sqlstate(), "42501");
        EXPECT_NE(std::string_view(error.what()).find("is not the table that function"),
                  std::string_view::npos)
            << error.what();
    }
    EXPECT_EQ(database.events(), "0");
}

TEST_F(Stranger, RunsNothingWithTheDaemonsRightsByTypesOfHisOwn) {
    // An empty search_path still finds temporary types, before those of pg_catalog.
    for (const auto *operation : {"INSERT", "DELETE"})
        database.subscribe(operation, operation, "users", "array['*']", "null",
                           "'[{\"json_path\": \"a\", \"expression\": \"now()::text\"}]'");
    database.daemon.exec("update async_triggers.subscriptions set metadata = '{}'");
    database.owner.exec("grant insert, select, delete on users to stranger");
    auto stranger = database.connect("stranger");
    stranger.exec("insert into public.users values (0)"); // plans made before he tries
    stranger.exec("create schema trap; create function trap.spring() returns boolean language "
                  "plpgsql as $$ begin raise exception 'sprung as %', current_user; end $$;"
                  "grant usage on schema trap to public");
    for (const auto *type : {"text", "jsonb", "oid", "json"})
        stranger.exec(fmt::format("create domain pg_temp.{0} as pg_catalog.{0} "
                                  "check (trap.spring())",
                                  type));
    stranger.exec("insert into public.users values (1); delete from public.users");
    EXPECT_EQ(database.events(), "4");
    EXPECT_EQ(SubscribedDatabase::value(stranger, "show search_path"), "\"$user\", public");
}

TEST_F(Stranger, GetsTheDaemonsRightsWithSubscriptionsOnly) {
    // The other side of it: whoever is given the table has the daemon's rights, as the documentation says.
    database.daemon.exec(
        "grant usage on schema async_triggers to stranger;"
        "grant select, insert, update, delete on async_triggers.subscriptions to stranger");
    auto stranger = database.connect("stranger");
    stranger.exec("insert into async_triggers.subscriptions (key, stream_id, operation, "
                  "schema_name, table_name) "
                  "values ('a', 1, 'INSERT', 'public', 'users')");
    stranger.exec("select async_triggers.set_subscriptions_json(1, '[{\"key\": \"b\", "
                  "\"operation\": \"DELETE\", \"schema_name\": "
                  "\"public\", \"table_name\": \"users\"}]')");
    EXPECT_EQ(database.triggers(), "users async_triggers_delete");
    EXPECT_EQ(SubscribedDatabase::refusal(
                  stranger, "update async_triggers.subscriptions set when_clause = 'new.id = 1'")
                  .sqlstate(),
              "22023");
    EXPECT_EQ(
        SubscribedDatabase::refusal(stranger, "update async_triggers.subscriptions set key = null")
            .sqlstate(),
        "23502");
    EXPECT_EQ(SubscribedDatabase::refusal(stranger, "select async_triggers.refresh_triggers()")
                  .sqlstate(),
              "42501");
}

} // namespace
} // namespace pgat
