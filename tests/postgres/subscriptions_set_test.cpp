#include <atomic>
#include <future>

#include "postgres/subscribed_database.hpp"

namespace pgat {
namespace {

using testing::SubscribedDatabase;

class SetSubscriptions : public ::testing::Test {
  protected:
    SetSubscriptions() {
        database.owner.exec(
            "create table users (id int, email text); create table orders (id int)");
    }
    std::string keys() {
        return database.value(
            "select coalesce(string_agg(stream_id || key, ' ' order by stream_id, key), '') from "
            "async_triggers.subscriptions");
    }
    static std::string row(const std::string &key, const std::string &table = "users",
                           const std::string &when = "null") {
        return fmt::format("row(null, '{}', 1, 'INSERT', 'public', '{}', {}, array['id'], null, "
                           "'[]')::async_triggers.subscriptions",
                           key, table, when);
    }
    void set(const std::string &rows,
             const std::string &function = "async_triggers.set_subscriptions") {
        database.daemon.exec("select " + function + "(1, array[" + rows +
                             "]::async_triggers.subscriptions[])");
    }
    std::string versions() {
        return database.value("select string_agg(xmin::text, ' ' order by oid) from pg_proc where "
                              "proname like '\\_publish%'") +
               database.value("select string_agg(xmin::text, ' ' order by key) from "
                              "async_triggers.subscriptions");
    }
    SubscribedDatabase database;
};

TEST_F(SetSubscriptions, AddsChangesAndRemovesThoseOfTheStreamAlone) {
    database.subscribe("other", "DELETE", "users", "null", "null", "null", "2");
    set(row("a") + "," + row("b", "orders"));
    EXPECT_EQ(keys(), "1a 1b 2other");
    EXPECT_EQ(
        database.triggers(),
        "users async_triggers_delete, users async_triggers_insert, orders async_triggers_insert");
    set(row("a", "orders", "'new.id = 1'"));
    EXPECT_EQ(keys(), "1a 2other");
    EXPECT_EQ(database.triggers(), "users async_triggers_delete, orders async_triggers_insert");
    set("");
    EXPECT_EQ(keys(), "2other");
}

TEST_F(SetSubscriptions, TouchesNothingThatIsEqual) {
    set(row("a") + "," + row("b", "orders"));
    const auto before = versions();
    set(row("b", "orders") + "," + row("a"));
    EXPECT_EQ(versions(), before);
    database.daemon.exec("begin; select async_triggers.set_subscriptions(1, array[" + row("a") +
                         "," + row("b", "orders") + "])");
    EXPECT_EQ(SubscribedDatabase::value(
                  database.daemon,
                  "select count(*) from pg_locks where pid = pg_backend_pid() and locktype = "
                  "'relation' and "
                  "relation in ('public.users'::regclass, 'public.orders'::regclass)"),
              "0");
    database.daemon.exec("rollback");
}

TEST_F(SetSubscriptions, AppliesAllOrNothing) {
    set(row("a"));
    const auto before = versions();
    EXPECT_EQ(database
                  .refusal("select async_triggers.set_subscriptions(1, array[" + row("b") + "," +
                           row("c", "nowhere") + "])")
                  .sqlstate(),
              "42P01");
    EXPECT_EQ(keys(), "1a");
    EXPECT_EQ(versions(), before);
}

TEST_F(SetSubscriptions, RefusesWhatWouldRemoveAllByMistake) {
    set(row("a"));
    for (const auto *call : {"set_subscriptions(1, null)", "set_subscriptions(null, '{}')",
                             "set_subscriptions_json(1, null)", "set_subscriptions_json(1, '{}')",
                             "set_subscriptions_json(1, 'null')"}) {
        const auto error = database.refusal(std::string("select async_triggers.") + call);
        EXPECT_NE(error.hint().find("empty array"), std::string::npos) << call;
    }
    EXPECT_EQ(keys(), "1a");
    const auto twice = database.refusal("select async_triggers.set_subscriptions(1, array[" +
                                        row("b") + "," + row("b") + "])");
    EXPECT_TRUE(std::string_view(twice.what()).find("key \"b\" is given twice") !=
                std::string_view::npos)
        << twice.what();
}

TEST_F(SetSubscriptions, RunsWithTheCallersRights) {
    database.daemon.exec("grant usage on schema async_triggers to stranger");
    auto stranger = database.connect("stranger");
    EXPECT_EQ(
        SubscribedDatabase::refusal(stranger, "select async_triggers.set_subscriptions(1, '{}')")
            .sqlstate(),
        "42501");
    EXPECT_EQ(database.value("select count(*) from pg_proc where proname like "
                             "'set\\_subscriptions%' and not prosecdef"),
              "2");
}

TEST_F(SetSubscriptions, TakesJson) {
    const std::string json = R"([
        {"key": "a", "operation": "INSERT", "schema_name": "public", "table_name": "users", "when_clause": "new.id > 1",
         "column_names": ["id", "email"], "metadata": {"topic": "t"},
         "payload_extensions": [{"json_path": "group_id", "expression": "new.id::text"}]},
        {"key": "b", "stream_id": 1, "operation": "DELETE", "schema_name": "public", "table_name": "users"}])";
    database.daemon.exec("select async_triggers.set_subscriptions_json(1, '" + json + "')");
    EXPECT_EQ(keys(), "1a 1b");
    const auto before = versions();
    database.daemon.exec("select async_triggers.set_subscriptions_json(1, '" + json + "')");
    EXPECT_EQ(versions(), before);
    database.owner.exec("insert into users values (1, 'a'), (2, 'b')");
    EXPECT_EQ(database.value("select (payload -> 'new')::text || (payload ->> 'group_id') || "
                             "metadata from async_triggers.events"),
              R"({"id": 2, "email": "b"}2{"topic": "t"})");
    const auto unknown = database.refusal(
        "select async_triggers.set_subscriptions_json(1, '[{\"key\": \"a\", \"table\": \"x\"}]')");
    EXPECT_TRUE(std::string_view(unknown.what())
                    .find("subscription \"a\" of stream 1: unknown member \"table\"") !=
                std::string_view::npos)
        << unknown.what();
    EXPECT_EQ(database.refusal("select async_triggers.set_subscriptions_json(1, '[1]')").sqlstate(),
              "22023");
}

TEST_F(SetSubscriptions, OfTheDescriptionRunsUnchanged) {
    database.daemon.exec("create schema helper");
    database.daemon.exec(R"(set search_path = helper;
create or replace function set_subscriptions(
  p_stream_id bigint,
  p_subscriptions async_triggers.subscriptions[]
)
returns void
language plpgsql
security definer
set search_path to ''
as $$
begin
  create temporary table temp_subscriptions as
  select * from unnest(p_subscriptions);

  -- Only update if values actually changed (avoids trigger recreation)
  merge into async_triggers.subscriptions as target
  using temp_subscriptions as source
  on (target.key = source.key and target.stream_id = p_stream_id)
  when matched and (
    target.operation is distinct from source.operation or
    target.schema_name is distinct from source.schema_name or
    target.table_name is distinct from source.table_name or
    target.when_clause is distinct from source.when_clause or
    target.column_names is distinct from source.column_names or
    target.metadata is distinct from source.metadata or
    target.payload_extensions is distinct from source.payload_extensions
  ) then update set
    operation = source.operation,
    schema_name = source.schema_name,
    table_name = source.table_name,
    when_clause = source.when_clause,
    column_names = source.column_names,
    metadata = source.metadata,
    payload_extensions = source.payload_extensions
  when not matched then insert (
    key, stream_id, operation, schema_name, table_name,
    when_clause, column_names, metadata, payload_extensions
  ) values (
    source.key, p_stream_id, source.operation, source.schema_name,
    source.table_name, source.when_clause, source.column_names,
    source.metadata, source.payload_extensions
  );

  -- Remove subscriptions not in input
  delete from async_triggers.subscriptions
  where stream_id = p_stream_id
    and not exists (
      select 1 from temp_subscriptions
      where async_triggers.subscriptions.key = temp_subscriptions.key
    );

  drop table temp_subscriptions;
end;
$$;)");
    set(row("a") + "," + row("b", "orders"), "helper.set_subscriptions");
    EXPECT_EQ(keys(), "1a 1b");
    const auto before = versions();
    set(row("a") + "," + row("b", "orders"), "helper.set_subscriptions");
    EXPECT_EQ(versions(), before);
    set(row("b", "users"), "helper.set_subscriptions");
    EXPECT_EQ(keys(), "1b");
    EXPECT_EQ(database.triggers(), "users async_triggers_insert");
}

TEST_F(SetSubscriptions, IsCalledFromManySessionsAtOnce) {
    std::vector<std::future<void>> calls;
    for (int n = 0; n < 4; ++n)
        calls.push_back(std::async(std::launch::async, [&, n] {
            auto session = database.connect("daemon");
            for (int round = 0; round < 5; ++round)
                session.exec("select async_triggers.set_subscriptions(1, array[" +
                             row("same", n % 2 == 0 ? "users" : "orders") + "," +
                             row("of" + std::to_string(n)) + "])");
        }));
    for (auto &call : calls)
        call.get();
    EXPECT_EQ(database.value("select count(*) from async_triggers.subscriptions"), "2");
}

} // namespace
} // namespace pgat
