#include "postgres/subscribed_database.hpp"

namespace pgat {
namespace {

using testing::SubscribedDatabase;
using ::testing::Test;

// What is refused leaves nothing behind, and the message names subscription, cause and remedy.
class Refused : public Test {
  protected:
    Refused() {
        database.owner.exec(
            "create table users (id int, email text, total numeric); create view seen as select * "
            "from users;"
            "create schema api authorization owner; grant usage on schema api to daemon;"
            "create function api.good(text) returns boolean immutable return $1 = 'x';"
            "create function unqualified(text) returns boolean immutable return true");
    }
    ~Refused() override {
        EXPECT_EQ(database.value("select count(*) from async_triggers.subscriptions"), "0");
        EXPECT_EQ(database.functions(), "0");
        EXPECT_EQ(database.value("select count(*) from pg_proc where proname like '\\_probe%'"),
                  "0");
        EXPECT_EQ(database.triggers(), "");
        EXPECT_EQ(database.value("select count(*) from async_triggers.streams"), "0");
    }
    Error refusal(const std::string &operation, const std::string &when,
                  const std::string &columns = "array['id']",
                  const std::string &extensions = "'[]'", const std::string &table = "users") {
        try {
            database.subscribe("k", operation, table, columns, when, extensions);
        } catch (const Error &error) {
            EXPECT_TRUE(std::string(error.what()).starts_with("subscription \"k\" of stream 1: "))
                << error.what();
            EXPECT_NE(error.hint(), "");
            return error;
        }
        ADD_FAILURE() << "not refused: " << when << " " << columns << " " << extensions;
        return {Remedy::stop, ""};
    }
    void expect(const Error &error, std::string_view cause, std::string_view code,
                std::string_view hint = "") {
        EXPECT_NE(std::string_view(error.what()).find(cause), std::string_view::npos)
            << error.what();
        EXPECT_EQ(error.sqlstate(), code) << error.what();
        EXPECT_NE(error.hint().find(hint), std::string::npos) << error.hint();
    }
    Error extension(const std::string &path, const std::string &expression,
                    const std::string &operation = "INSERT") {
        return refusal(
            operation, "null", "array['id']",
            fmt::format("jsonb_build_array(jsonb_build_object('json_path', {}, 'expression', {}))",
                        path, expression));
    }
    SubscribedDatabase database;
};

TEST_F(Refused, IsANullWhereOneCannotBe) {
    const std::string columns = "(key, stream_id, operation, schema_name, table_name)";
    const auto write = [&](const std::string &values) {
        return database.refusal("insert into async_triggers.subscriptions " + columns +
                                " values (" + values + ")");
    };
    expect(write("'k', null, 'INSERT', 'public', 'users'"), "subscription \"k\": stream_id is null",
           "23502", "stream.id");
    expect(write("null, 1, 'INSERT', 'public', 'users'"),
           "subscription without a key of stream 1: key is null", "23502");
    expect(write("'k', 1, null, 'public', 'users'"),
           "subscription \"k\" of stream 1: operation is null", "23502");
    expect(write("'k', 1, 'INSERT', null, 'users'"), "schema_name is null", "23502");
    expect(write("'k', 1, 'INSERT', 'public', null"), "table_name is null", "23502");
}

TEST_F(Refused, IsATableThatIsNotThereOrNoTable) {
    expect(refusal("INSERT", "null", "null", "null", "Users"), "there is no table public.\"Users\"",
           "42P01", "upper case");
    expect(refusal("INSERT", "null", "null", "null", "seen"), "public.seen is not a table", "42809",
           "partitioned");
    expect(database.refusal("insert into async_triggers.subscriptions (key, stream_id, operation, "
                            "schema_name, table_name) "
                            "values ('k', 1, 'INSERT', 'async_triggers', 'events')"),
           "belongs to async_triggers itself", "42809");
    expect(database.refusal("insert into async_triggers.subscriptions (key, stream_id, operation, "
                            "schema_name, table_name) "
                            "values ('k', 1, 'INSERT', 'pg_catalog', 'pg_class')"),
           "is a system catalog", "42809");
    expect(database.refusal("insert into async_triggers.subscriptions (key, stream_id, operation, "
                            "schema_name, table_name) "
                            "values ('k', 1, 'INSERT', 'nowhere', 'users')"),
           "there is no table nowhere.users", "42P01");
}

TEST_F(Refused, IsAColumnThatIsNotThere) {
    expect(refusal("INSERT", "null", "array['id', 'emial']"),
           "column_names: public.users has no column emial", "42703", "id, email, total");
    expect(refusal("INSERT", "null", "array['ID']"), "has no column \"ID\"", "42703");
    expect(refusal("INSERT", "null", "array['ctid']"), "has no column ctid", "42703");
    expect(refusal("INSERT", "null", "array['id', null]"), "column_names holds a null", "22023");
    expect(refusal("INSERT", "'new.emial is null'"), "when_clause: column new.emial does not exist",
           "42703");
    expect(extension("'a'", "'new.emial'"),
           "payload_extensions[0].expression: column new.emial does not exist", "42703");
}

TEST_F(Refused, IsAVirtualColumnBecauseTriggersReadNullThere) {
    if (support::Cluster::major_version() < 18) GTEST_SKIP() << "since Postgres 18";
    database.owner.exec("alter table users add twice int generated always as (id * 2) virtual");
    expect(refusal("INSERT", "null", "array['twice']"),
           "column_names: twice is a virtual generated column", "0A000", "expression");
    expect(refusal("INSERT", "'new.twice = 2'"),
           "when_clause uses twice, a virtual generated column", "0A000", "expression");
    expect(extension("'a'", "'new.twice'"),
           "payload_extensions[0].expression uses twice, a virtual", "0A000", "expression");
}

TEST_F(Refused, IsAnExpressionThatIsNotOne) {
    expect(refusal("INSERT", "'new.id ='"), "when_clause: syntax error", "42601",
           "exactly one SQL expression");
    expect(refusal("INSERT", "''"), "when_clause is empty", "22023", "null");
    expect(refusal("INSERT", "' '"), "when_clause is empty", "22023");
    for (const auto *two :
         {"true, false", "true; drop table public.users",
          "true); drop table public.users; select (true", "true from public.users", "true as x",
          "distinct true", "select true", "true end), (case when true then true",
          "true end; select case when true then true", "true order by 1", "true else false",
          "true) or (true", "true /*", "true '", "true $x$", "all true"})
        expect(refusal("INSERT", fmt::format("$e${}$e$", two)), "when_clause: ", "42601");
    for (const auto *two :
         {"1, 2", "1; drop table public.users", "1) , (2", "1 as x", "distinct 1", "1), 'b', (2"})
        expect(extension("'a'", fmt::format("$e${}$e$", two)),
               "payload_extensions[0].expression: ", "42601");
    EXPECT_EQ(database.value("select count(*) from users"), "0"); // it is still there
}

TEST_F(Refused, IsAConditionThatIsNotBoolean) {
    expect(refusal("INSERT", "'new.id'"), "when_clause is not boolean: new.id", "42804",
           "condition");
    expect(refusal("INSERT", "'(select 1)'"), "when_clause is not boolean", "42804");
}

TEST_F(Refused, IsARowThatTheOperationDoesNotHave) {
    expect(refusal("INSERT", "'old.id = 1'"),
           "when_clause uses \"old\", which INSERT does not have", "22023", "\"new\"");
    expect(refusal("DELETE", "'new.id = 1'"),
           "when_clause uses \"new\", which DELETE does not have", "22023", "\"old\"");
    expect(extension("'a'", "'old.id'"), "payload_extensions[0].expression uses \"old\"", "22023");
    expect(extension("'a'", "'new.id'", "DELETE"), "payload_extensions[0].expression uses \"new\"",
           "22023");
}

TEST_F(Refused, IsANameThatNeedsASearchPath) {
    expect(refusal("INSERT", "'unqualified(new.email)'"),
           "function unqualified(text) does not exist", "42883", "with its schema");
    expect(refusal("INSERT", "'exists (select from users)'"), "relation \"users\" does not exist",
           "42P01", "with its schema");
    expect(extension("'a'", "'unqualified(new.email)'"),
           "function unqualified(text) does not exist", "42883");
    expect(refusal("INSERT", "'tg_op = ''INSERT'''"),
           "when_clause: column \"tg_op\" does not exist", "42703");
}

TEST_F(Refused, IsABadExtension) {
    for (const auto *extensions : {"'{}'", "'\"x\"'", "'1'"})
        expect(refusal("INSERT", "null", "null", extensions), "payload_extensions is not an array",
               "22023", "json_path");
    for (const auto *extensions :
         {"'[1]'", "'[{\"json_path\": \"a\"}]'", "'[{\"expression\": \"1\"}]'",
          "'[{\"json_path\": 1, \"expression\": \"1\"}]'",
          "'[{\"json_path\": \"a\", \"expression\": 1}]'",
          "'[{\"json_path\": null, \"expression\": \"1\"}]'"})
        expect(refusal("INSERT", "null", "null", extensions),
               "payload_extensions[0] is not an object with", "22023");
    for (const auto *path :
         {"''", "'.'", "'a.'", "'.a'", "'a..b'", "'$.a'", "'a[0]'", "' '", "'a. '", "E'a\\nb'"})
        expect(extension(path, "'1'"), "payload_extensions[0]: bad json_path", "22023", "a.b.c");
    expect(extension("'a'", "''"), "payload_extensions[0].expression is empty", "22023");
    expect(
        refusal(
            "INSERT", "null", "null",
            R"('[{"json_path": "a.b", "expression": "1"}, {"json_path": "a", "expression": "2"}]')"),
        "json_path \"a\" is both a value and an object", "22023", "\"a.\"");
    expect(
        refusal(
            "INSERT", "null", "null",
            R"('[{"json_path": "a.b", "expression": "1"}, {"json_path": "a.b.c.d", "expression": "2"}]')"),
        "json_path \"a.b\" is both", "22023");
}

TEST_F(Refused, IsAnotherOperation) {
    EXPECT_EQ(database
                  .refusal("insert into async_triggers.subscriptions (key, stream_id, operation, "
                           "schema_name, table_name) "
                           "values ('k', 1, 'TRUNCATE', 'public', 'users')")
                  .sqlstate(),
              "22P02");
}

TEST_F(Refused, IsWholeAStatementOfWhichOneRowIsBad) {
    EXPECT_EQ(database
                  .refusal("insert into async_triggers.subscriptions (key, stream_id, operation, "
                           "schema_name, table_name, "
                           "when_clause) values ('good', 1, 'INSERT', 'public', 'users', null), "
                           "('bad', 2, 'INSERT', 'public', 'users', 'new.nothing')")
                  .sqlstate(),
              "42703");
}

TEST_F(Refused, IsAFunctionOrTableThatTheDaemonMayNotUse) {
    database.owner.exec(
        "create schema closed; create function closed.f(int) returns boolean immutable return true;"
        "revoke execute on function api.good(text) from public; create table api.vip (id int);"
        "create function api.op(text, text) returns boolean immutable return true;"
        "revoke execute on function api.op(text, text) from public;"
        "create operator api.=== (leftarg = text, rightarg = text, function = api.op)");
    expect(refusal("INSERT", "'closed.f(new.id)'"), "permission denied for schema closed", "42501",
           "daemon");
    expect(refusal("INSERT", "'api.good(new.email)'"),
           "when_clause calls a function that role daemon may not execute", "42501",
           "grant execute on function api.good(text) to daemon");
    expect(extension("'a'", "'api.good(new.email)'"),
           "payload_extensions[0].expression calls a function", "42501");
    expect(refusal("INSERT", "'new.email operator(api.===) ''x'''"), "may not execute", "42501",
           "api.op(text,text)");
    expect(refusal("INSERT", "'exists (select from api.vip v where v.id = new.id)'"),
           "reads a table that role daemon may not read", "42501",
           "grant select on api.vip to daemon");
}

TEST_F(Refused, IsATableWithoutTheGrants) {
    database.owner.exec("revoke trigger on users from daemon");
    expect(refusal("INSERT", "null"),
           "the trigger for INSERT on public.users cannot be changed: role daemon may not create "
           "triggers on public.users",
           "42501", "grant trigger on public.users to daemon;");
    database.owner.exec("create schema closed; create table closed.t (id int); create table parts "
                        "(id int) partition by list (id);"
                        "create table parts_1 partition of parts for values in (1); revoke trigger "
                        "on parts_1, parts from daemon");
    expect(database.refusal("insert into async_triggers.subscriptions (key, stream_id, operation, "
                            "schema_name, table_name) "
                            "values ('k', 1, 'INSERT', 'closed', 't')"),
           "role daemon may not use schema closed", "42501",
           "grant usage on schema closed to daemon;");
    expect(refusal("INSERT", "null", "null", "null", "parts"),
           "may not create triggers on public.parts", "42501",
           "grant trigger on public.parts to daemon; grant trigger on public.parts_1 to daemon;");
}

TEST(Subscriptions, DoNotHideAUniqueViolation) {
    SubscribedDatabase database;
    database.owner.exec("create table users (id int)");
    database.subscribe("k", "INSERT", "users");
    EXPECT_EQ(database
                  .refusal("insert into async_triggers.subscriptions (key, stream_id, operation, "
                           "schema_name, table_name) "
                           "values ('k', 1, 'DELETE', 'public', 'users')")
                  .sqlstate(),
              "23505");
    EXPECT_EQ(database.triggers(), "users async_triggers_insert");
}

TEST(Subscriptions, AreCastFromRows) {
    SubscribedDatabase database;
    database.owner.exec("create table users (id int)");
    database.daemon.exec("insert into async_triggers.subscriptions select (row(null, 'k', 1, "
                         "'INSERT', 'public', 'users', null, "
                         "array['id'], null, null)::async_triggers.subscriptions).*");
    database.owner.exec("insert into users values (1)");
    EXPECT_EQ(database.payload("{new}"), R"({"id": 1})");
    EXPECT_EQ(database.value("select id is not null and payload_extensions is null from "
                             "async_triggers.subscriptions"),
              "t");
}

} // namespace
} // namespace pgat
