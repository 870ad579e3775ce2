#include "postgres/subscribed_database.hpp"

namespace pgat {
namespace {

using testing::SubscribedDatabase;

class Conditions : public ::testing::Test {
  protected:
    Conditions() {
        database.owner.exec(
            "create table t (id int, a text, b text, n numeric, at timestamptz, tags text[], doc "
            "jsonb);"
            "create schema api authorization owner; grant usage on schema api to daemon;"
            "create function api.pure(text) returns boolean immutable return $1 = 'x';"
            "revoke execute on function api.pure(text) from public; "
            "grant execute on function api.pure(text) to daemon;"
            "create table api.vip (id int); grant select on api.vip to daemon");
    }
    // The trigger's WHEN, empty for none.
    std::string when(const std::string &name = "async_triggers_insert") {
        return database.value(
            "select coalesce(substring(pg_get_triggerdef(oid, true) from 'WHEN (.*) EXECUTE'), '') "
            "from pg_trigger where tgname = '" +
            name + "'");
    }
    std::string when_of(const std::string &clause) {
        database.daemon.exec("delete from async_triggers.subscriptions");
        database.subscribe("k", "INSERT", "t", "array['id']", "$e$" + clause + "$e$");
        return when();
    }
    SubscribedDatabase database;
};

TEST_F(Conditions, StandInTheTriggerIfTheyArePlain) {
    for (const auto *clause :
         {"new.a = 'x'", "new.n > 100 and new.id is not null",
          "new.a in ('x', 'y') or not (new.id between 1 and 2)", "lower(new.a) like 'x%'",
          "new.tags @> array['x']", "new.doc ->> 'k' = 'v'", "coalesce(new.a, new.b) <> ''",
          "case when new.id = 1 then true else new.a = 'x' end", "new.n is distinct from 3",
          "new.a::varchar = 'x'", "new.at > '2020-01-01'", "NEW.id = 1 -- one"})
        EXPECT_NE(when_of(clause), "") << clause;
}

TEST_F(Conditions, AreLeftToTheFunctionOtherwise) {
    // Subqueries, functions outside pg_catalog, and whatever a writer's session or the time decides.
    for (const auto *clause :
         {"exists (select from api.vip v where v.id = new.id)", "api.pure(new.a)", "new.at < now()",
          "random() < 2", "new.a = current_user", "new.at::date = '2020-01-01'",
          "current_setting('x.y', true) is null", "new.id = (select 1)", "new.at::text = ''",
          "new.at > current_timestamp"})
        EXPECT_EQ(when_of(clause), "") << clause;
}

TEST_F(Conditions, AreEvaluatedForAWriterWhoMayNotRunThem) {
    database.owner.exec("grant insert on t to stranger; insert into api.vip values (7)");
    database.subscribe("f", "INSERT", "t", "array['id']", "'api.pure(new.a)'");
    database.subscribe("s", "INSERT", "t", "array['id']",
                       "'exists (select from api.vip v where v.id = new.id)'");
    auto stranger = database.connect("stranger");
    stranger.exec("insert into public.t (id, a) values (1, 'x'), (2, 'y'), (7, null)");
    EXPECT_EQ(database.value("select string_agg((payload ->> 'tg_name') || (payload #>> "
                             "'{new,id}'), ' ' order by id) "
                             "from async_triggers.events"),
              "f1 s7");
}

TEST_F(Conditions, AreJoinedByOrAndDecidedForEach) {
    database.subscribe("a", "INSERT", "t", "array['id']", "'new.a = ''x'''");
    database.subscribe("b", "INSERT", "t", "array['id']", "'new.b = ''x'''");
    EXPECT_EQ(when(), "(new.a = 'x'::text OR new.b = 'x'::text)");
    database.owner.exec("insert into t (id, a, b) values (1, 'x', null), (2, null, 'x'), (3, 'x', "
                        "'x'), (4, '', ''), (5, null, null)");
    EXPECT_EQ(database.value("select string_agg((payload #>> '{new,id}') || (payload ->> "
                             "'tg_name'), ' ' order by id) "
                             "from async_triggers.events"),
              "1a 2b 3a 3b");
    database.subscribe("c", "INSERT", "t");
    EXPECT_EQ(when(), "");
    database.owner.exec("truncate t; insert into t (id) values (6)");
    EXPECT_EQ(database.payload("{tg_name}"), "\"c\"");
    EXPECT_EQ(database.events(), "5");
    database.daemon.exec("delete from async_triggers.subscriptions where key <> 'b'");
    EXPECT_EQ(when(), "(new.b = 'x'::text)");
}

TEST_F(Conditions, MayBePrecedenceTraps) {
    database.subscribe("a", "INSERT", "t", "array['id']", "'new.id = 1 or new.id = 2'");
    database.subscribe("b", "INSERT", "t", "array['id']", "'false and true -- never'");
    database.owner.exec("insert into t (id) values (1), (2), (3)");
    EXPECT_EQ(database.events(), "2");
}

TEST_F(Conditions, SeeOldAndNewRows) {
    database.subscribe("changed", "UPDATE", "t", "array['id']", "'new.* is distinct from old.*'");
    database.subscribe("whole", "UPDATE", "t", "array['id']",
                       "'new is distinct from old and to_jsonb(new) ->> ''a'' = ''y'''");
    database.owner.exec(
        "insert into t (id, a) values (1, 'x'); update t set a = a; update t set a = 'y'");
    EXPECT_EQ(
        database.value(
            "select string_agg(payload ->> 'tg_name', ' ' order by id) from async_triggers.events"),
        "changed whole");
}

TEST_F(Conditions, MayPassWholeRowsToFunctions) {
    database.owner.exec("create function api.whole(public.t) returns boolean immutable "
                        "return ($1).id > 1");
    EXPECT_EQ(when_of("api.whole(new)"), "");
    database.owner.exec("insert into t (id) values (1), (2)");
    EXPECT_EQ(database.events(), "1");
}

TEST_F(Conditions, TakeColumnsFromSubqueriesBeforeTheRows) {
    database.owner.exec(
        "create table api.odd (new int, found int, payload int); grant select on api.odd to daemon;"
        "insert into api.odd values (1, 2, 3)");
    database.subscribe("odd", "INSERT", "t", "array['id']",
                       "'exists (select from api.odd where found = 2 and payload = new.id + 2 and "
                       "odd.new = new.id)'");
    database.owner.exec("insert into t (id) values (1), (2)");
    EXPECT_EQ(database.events(), "1");
}

TEST_F(Conditions, ThatAreNullMeanNo) {
    database.subscribe("f", "INSERT", "t", "array['id']", "'new.a = ''x'' and random() >= 0'");
    database.owner.exec("insert into t (id) values (1)");
    EXPECT_EQ(database.events(), "0");
}

} // namespace
} // namespace pgat
