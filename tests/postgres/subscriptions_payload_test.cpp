#include "postgres/subscribed_database.hpp"

namespace pgat {
namespace {

using testing::SubscribedDatabase;

class Payload : public ::testing::Test {
  protected:
    Payload() {
        database.owner.exec(
            "create table users (id bigint generated always as identity primary key, email text, "
            "email_verified boolean, settings jsonb, created_at timestamptz default now())");
    }
    std::string insert_user(const std::string &email = "ann@example.org") {
        database.owner.exec(
            fmt::format("insert into users (email, email_verified, settings) values ('{}', true, "
                        "'{{\"theme\": {{\"dark\": true}}}}')",
                        email));
        return database.payload();
    }
    SubscribedDatabase database;
};

TEST_F(Payload, IsThatOfTheDescription) {
    database.daemon.exec(R"(
        insert into async_triggers.subscriptions (
          key, stream_id, operation, schema_name, table_name, when_clause, column_names, payload_extensions
        ) values (
          'user-signup', 1, 'INSERT', 'public', 'users', 'new.email_verified = true',
          array['id', 'email', 'created_at'], '[]'::jsonb);)");
    database.owner.exec("begin; insert into users (email, email_verified) values ('a@example.org', "
                        "true), ('b', false)");
    const auto now = SubscribedDatabase::value(database.owner,
                                               "select (extract(epoch from now()) * 1000)::bigint");
    database.owner.exec("commit");
    EXPECT_EQ(database.events(), "1");
    EXPECT_EQ(database.payload("{new,email}"), "\"a@example.org\"");
    EXPECT_EQ(database.payload("{timestamp}"), now);
    EXPECT_EQ(
        database.value("select payload - 'timestamp' - 'new' from async_triggers.events"),
        R"({"old": null, "tg_op": "INSERT", "tg_name": "user-signup", "tg_table_name": "users", "tg_table_schema": "public"})");
    EXPECT_EQ(database.value("select payload -> 'new' = (select to_jsonb(u) from (select id, "
                             "email, created_at from users "
                             "where id = 1) u) from async_triggers.events"),
              "t");
    EXPECT_EQ(database.value("select stream_id from async_triggers.events"), "1");
    EXPECT_EQ(database.value("select metadata is null from async_triggers.events"), "t");
}

TEST_F(Payload, HasNewAndOldAsTheOperationHasThem) {
    for (const auto *operation : {"INSERT", "UPDATE", "DELETE"})
        database.subscribe(operation, operation, "users");
    insert_user();
    EXPECT_EQ(database.payload("{new}") + database.payload("{old}"), R"({"id": 1}null)");
    database.owner.exec("update users set email = 'x'");
    EXPECT_EQ(database.payload("{new}") + database.payload("{old}"), R"({"id": 1}{"id": 1})");
    database.owner.exec("delete from users");
    EXPECT_EQ(database.payload("{new}") + database.payload("{old}"), R"(null{"id": 1})");
    EXPECT_EQ(database.payload("{tg_op}"), "\"DELETE\"");
    EXPECT_EQ(database.events(), "3");
}

TEST_F(Payload, TakesAllColumnsForAStarAndThoseAddedLater) {
    database.subscribe("all", "INSERT", "users", "array['*']");
    insert_user();
    EXPECT_EQ(
        database.value("select payload -> 'new' = to_jsonb(u) from async_triggers.events, users u"),
        "t");
    database.owner.exec("alter table users add nickname text default 'nick'; alter table users "
                        "drop email_verified");
    database.owner.exec("insert into users (email) values ('c')");
    EXPECT_EQ(database.payload("{new,nickname}"), "\"nick\"");
}

TEST_F(Payload, LeavesVirtualColumnsOutOfAStar) {
    if (support::Cluster::major_version() < 18) GTEST_SKIP() << "since Postgres 18";
    database.owner.exec("create table v (id int, twice int generated always as (id * 2) virtual)");
    database.subscribe("all", "INSERT", "v", "array['*']");
    database.owner.exec("insert into v values (1)");
    EXPECT_EQ(database.payload("{new}"), "{\"id\": 1}");
}

TEST_F(Payload, HoldsMoreColumnsThanAFunctionTakesArguments) {
    database.owner.exec("do $$ begin execute (select 'create table wide (' || "
                        "string_agg(format('c%s int default %s', n, n), "
                        "', ') || ')' from generate_series(1, 160) n); end $$");
    database.subscribe("wide", "INSERT", "wide",
                       "(select array_agg('c' || n) from generate_series(1, 160) n)");
    database.owner.exec("insert into wide default values");
    EXPECT_EQ(
        database.value("select payload -> 'new' = to_jsonb(w) from async_triggers.events, wide w"),
        "t");
}

TEST_F(Payload, TakesNoColumnsAsAnEmptyObject) {
    database.subscribe("none", "INSERT", "users", "null", "null", "null");
    insert_user();
    EXPECT_EQ(database.payload("{new}"), "{}");
}

TEST_F(Payload, TakesExtensionsOfTheDescription) {
    database.owner.exec("create table orders (id int, user_id int, total numeric)");
    database.subscribe("order-notification", "INSERT", "orders", "array['id', 'user_id', 'total']",
                       "null",
                       R"sql('[{"json_path": "group_id", "expression": "new.user_id::text"},
                            {"json_path": "queue_name", "expression": "''orders-high-priority''"},
                            {"json_path": "day", "expression": "current_date::text = now()::date::text"},
                            {"json_path": "tenant", "expression": "current_setting(''app.tenant_id'', true)"}]'::jsonb)sql");
    database.owner.exec("set app.tenant_id = 'acme'; insert into orders values (456, 123, 99.99)");
    EXPECT_EQ(database.payload("{group_id}"), "\"123\"");
    EXPECT_EQ(database.payload("{queue_name}"), "\"orders-high-priority\"");
    EXPECT_EQ(database.payload("{day}"), "true");
    EXPECT_EQ(database.payload("{tenant}"), "\"acme\"");
    EXPECT_EQ(database.payload("{new}"), R"({"id": 456, "total": 99.99, "user_id": 123})");
}

TEST_F(Payload, MergesExtensionsWithACommonPrefix) {
    database.subscribe(
        "deep", "INSERT", "users", "array['id', 'settings']", "null",
        R"('[{"json_path": "m.b.c", "expression": "1"}, {"json_path": "m.b.d", "expression": "2"},
                            {"json_path": "m.e", "expression": "null"}, {"json_path": "new.name", "expression": "new.email"},
                            {"json_path": "new.settings.theme.size", "expression": "3"},
                            {"json_path": "tg_name", "expression": "''mine''"},
                            {"json_path": "old.why", "expression": "4"},
                            {"json_path": "m.b.c", "expression": "5 -- the last one wins"}]')");
    insert_user();
    EXPECT_EQ(database.payload("{m}"), R"({"b": {"c": 5, "d": 2}, "e": null})");
    EXPECT_EQ(
        database.payload("{new}"),
        R"({"id": 1, "name": "ann@example.org", "settings": {"theme": {"dark": true, "size": 3}}})");
    EXPECT_EQ(database.payload("{tg_name}"), "\"mine\"");
    EXPECT_EQ(database.payload("{old}"), R"({"why": 4})");
}

TEST_F(Payload, MergesExtensionsIntoAWholeRow) {
    database.subscribe(
        "deep", "UPDATE", "users", "array['*']", "null",
        R"('[{"json_path": "new.id", "expression": "-1"}, {"json_path": "old.x.y", "expression": "true"}]')");
    insert_user();
    database.owner.exec("update users set email = 'b'");
    EXPECT_EQ(database.payload("{new,id}") + database.payload("{new,email}"), "-1\"b\"");
    EXPECT_EQ(database.payload("{old,x}") + database.payload("{old,email}"),
              "{\"y\": true}\"ann@example.org\"");
}

TEST_F(Payload, LeavesMetadataBesideIt) {
    database.subscribe("m", "INSERT", "users");
    database.daemon.exec(
        R"(update async_triggers.subscriptions set metadata = '{"topic": "it''s", "n": 1.50}')");
    insert_user();
    EXPECT_EQ(database.value("select metadata from async_triggers.events"),
              R"({"n": 1.50, "topic": "it's"})");
    EXPECT_EQ(database.value("select payload ? 'topic' from async_triggers.events"), "f");
}

TEST_F(Payload, KeepsNumbersAndTextAsTheyAre) {
    database.owner.exec("create table exact (n numeric, t text)");
    database.subscribe("it's \\ \"exact\"; $body$ %s */", "INSERT", "exact", "array['n', 't']");
    database.owner.exec("insert into exact values (12345678901234567890.123456789, E'\\U0001F600 "
                        "\\u00e9 \\\\ ''x'' \"')");
    EXPECT_EQ(database.payload("{new,n}"), "12345678901234567890.123456789");
    EXPECT_EQ(database.value("select payload #>> '{new,t}' = t from async_triggers.events, exact"),
              "t");
    EXPECT_EQ(database.value("select payload ->> 'tg_name' from async_triggers.events"),
              "it's \\ \"exact\"; $body$ %s */");
}

TEST_F(Payload, GoesToEachStreamThatSubscribes) {
    database.subscribe("a", "INSERT", "users", "array['id']", "null", "'[]'", "1");
    database.subscribe("a", "INSERT", "users", "array['email']", "null", "'[]'", "2");
    database.subscribe("b", "INSERT", "users", "array['id']", "'new.email like ''b%'''", "'[]'",
                       "2");
    insert_user();
    EXPECT_EQ(database.value("select string_agg(stream_id || ':' || (payload ->> 'tg_name') || "
                             "(payload ->> 'new'), ' ' "
                             "order by id) from async_triggers.events"),
              R"(1:a{"id": 1} 2:a{"email": "ann@example.org"})");
    insert_user("bob");
    EXPECT_EQ(database.events(), "5");
    EXPECT_EQ(
        database.value("select string_agg(id::text, ',' order by id) from async_triggers.streams"),
        "1,2");
}

TEST_F(Payload, IsWrittenInTheWritersTransactionAtItsEnd) {
    database.subscribe("end", "INSERT", "users");
    database.owner.exec("begin; insert into users (email) values ('a'); savepoint s; "
                        "insert into users (email) values ('b'); rollback to s");
    EXPECT_EQ(SubscribedDatabase::value(database.owner, "select count(*) from users"), "1");
    database.owner.exec("commit");
    EXPECT_EQ(database.events(), "1");
    EXPECT_EQ(
        database.value("select (e.xid::text = u.xmin::text) from async_triggers.events e, users u"),
        "t");
}

TEST_F(Payload, NeedsNoRightsOfTheWriter) {
    database.subscribe("w", "INSERT", "users");
    database.owner.exec("grant insert on users to stranger");
    database.connect("stranger").exec("insert into public.users (email) values ('s')");
    EXPECT_EQ(database.events(), "1");
}

} // namespace
} // namespace pgat
