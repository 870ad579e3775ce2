#include <chrono>

#include "postgres/subscribed_database.hpp"

namespace pgat {
namespace {

using testing::SubscribedDatabase;

class Triggers : public ::testing::Test {
  protected:
    Triggers() { database.owner.exec("create table users (id int, email text, active boolean)"); }
    void update(const std::string &set, const std::string &where = "true") {
        database.daemon.exec("update async_triggers.subscriptions set " + set + " where " + where);
    }
    // Changes with every replacement of the function, or of the trigger.
    std::string function_version() {
        return database.value("select string_agg(oid::text || ':' || xmin, ' ' order by oid) from "
                              "pg_proc where proname like "
                              "'\\_publish\\_after%'");
    }
    std::string trigger_version() {
        return database.value("select string_agg(oid::text, ' ' order by oid) from pg_trigger "
                              "where tgname like 'async%'");
    }
    std::string newest() { return database.payload("{tg_name}"); }
    SubscribedDatabase database;
};

TEST_F(Triggers, AreDeferredConstraintTriggersForEachRow) {
    for (const auto *operation : {"INSERT", "UPDATE", "DELETE"})
        database.subscribe(operation, operation, "users");
    EXPECT_EQ(
        database.triggers(),
        "users async_triggers_delete, users async_triggers_insert, users async_triggers_update");
    EXPECT_EQ(database.value(
                  "select bool_and(tgdeferrable and tginitdeferred and tgconstraint <> 0 and "
                  "tgtype & 1 = 1 and "
                  "tgtype & 2 = 0 and tgenabled = 'O') from pg_trigger where tgname like 'async%'"),
              "t");
    EXPECT_EQ(database.value(
                  "select bool_and(p.prosecdef and p.proconfig = array['search_path=\"\"'] and not "
                  "has_function_privilege('public', p.oid, 'execute') and p.pronamespace = "
                  "'async_triggers'::regnamespace and proname like '\\_publish\\_after\\_' || "
                  "lower(substring(tgname from '[a-z]*$')) || '\\_on\\_users%' and proowner = "
                  "'daemon'::regrole) "
                  "from pg_trigger t join pg_proc p on p.oid = tgfoid where tgname like 'async%'"),
              "t");
}

TEST_F(Triggers, GoWithTheLastSubscription) {
    database.subscribe("a", "INSERT", "users");
    database.subscribe("b", "INSERT", "users");
    database.daemon.exec("delete from async_triggers.subscriptions where key = 'a'");
    EXPECT_EQ(database.triggers(), "users async_triggers_insert");
    database.daemon.exec("delete from async_triggers.subscriptions");
    EXPECT_EQ(database.triggers(), "");
    EXPECT_EQ(database.functions(), "0");
    database.owner.exec("insert into users values (1)");
    EXPECT_EQ(database.events(), "0");
    // And come again.
    database.subscribe("c", "INSERT", "users");
    database.owner.exec("insert into users values (1)");
    EXPECT_EQ(newest(), "\"c\"");
}

TEST_F(Triggers, GoWhenSubscriptionsAreTruncated) {
    database.subscribe("a", "INSERT", "users");
    database.daemon.exec("truncate async_triggers.subscriptions");
    EXPECT_EQ(database.triggers() + database.functions(), "0");
}

TEST_F(Triggers, AreLeftAloneByAnUpdateThatChangesNothing) {
    database.subscribe("a", "INSERT", "users", "array['id']", "'new.active'");
    const auto function = function_version();
    auto other = database.connect("owner");
    other.exec("begin; lock table users in access exclusive mode; select pg_advisory_lock(1)");
    update("when_clause = when_clause, column_names = array['id'], payload_extensions = '[ ]'");
    EXPECT_EQ(function_version(), function);
    EXPECT_EQ(SubscribedDatabase::value(
                  database.daemon, "begin; update async_triggers.subscriptions set key = key; "
                                   "select count(*) from pg_locks where pid = pg_backend_pid() and "
                                   "locktype = 'advisory'"),
              "0");
    database.daemon.exec("rollback");
}

TEST_F(Triggers, StayWhereOnlyTheFunctionHasToChange) {
    database.subscribe("a", "INSERT", "users", "array['id']", "'new.active'");
    const auto trigger = trigger_version();
    // A writer that has not ended, and a lock beside which nothing can even be read.
    auto other = database.connect("owner");
    other.exec("begin; insert into users values (1, 'x', true); lock table users in access "
               "exclusive mode");
    database.daemon = database.connect("daemon");
    database.daemon.exec("set lock_timeout = '5s'");
    const auto change = [&](const std::string &sql) {
        const auto function = function_version();
        database.daemon.exec("begin;" + sql);
        EXPECT_EQ(SubscribedDatabase::value(database.daemon,
                                            "select count(*) from pg_locks where pid = "
                                            "pg_backend_pid() and locktype = 'relation' "
                                            "and relation = 'public.users'::regclass"),
                  "0")
            << sql;
        database.daemon.exec("commit");
        EXPECT_NE(function_version(), function) << sql;
        EXPECT_EQ(trigger_version(), trigger) << sql;
    };
    change("update async_triggers.subscriptions set column_names = array['email']");
    change("update async_triggers.subscriptions set metadata = '{}'");
    change("update async_triggers.subscriptions set payload_extensions = '[{\"json_path\": \"a\", "
           "\"expression\": \"1\"}]'");
    change("update async_triggers.subscriptions set key = 'b'");
    change("insert into async_triggers.subscriptions (key, stream_id, operation, schema_name, "
           "table_name, when_clause) "
           "values ('c', 2, 'INSERT', 'public', 'users', ' new.active ')");
    change("delete from async_triggers.subscriptions where key = 'b'");
    other.exec("commit");
    EXPECT_EQ(
        database.value("select string_agg(payload ->> 'tg_name', ' ') from async_triggers.events"),
        "c");
}

TEST_F(Triggers, GiveUpSoonOnABusyTableAndLeaveAllAsItWas) {
    database.subscribe("a", "INSERT", "users");
    const auto function = function_version();
    auto other = database.connect("owner");
    other.exec("begin; insert into users values (1)");
    const auto began = std::chrono::steady_clock::now();
    const auto error =
        database.refusal("update async_triggers.subscriptions set when_clause = 'new.active'");
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
    EXPECT_EQ(error.sqlstate(), "55P03");
    EXPECT_TRUE(std::string_view(error.what())
                    .starts_with("subscription \"a\" of stream 1: the trigger for INSERT on "
                                 "public.users cannot be changed: "))
        << error.what();
    EXPECT_NE(error.hint().find("try again"), std::string::npos) << error.hint();
    other.exec("commit");
    EXPECT_EQ(function_version(), function);
    EXPECT_EQ(database.events(), "1");
    update("when_clause = 'new.active'");
    EXPECT_EQ(SubscribedDatabase::value(database.daemon, "show lock_timeout"), "0");
}

TEST_F(Triggers, FollowASubscriptionThatMoves) {
    database.owner.exec("create table orders (id int)");
    database.subscribe("a", "INSERT", "users");
    update("table_name = 'orders'");
    EXPECT_EQ(database.triggers(), "orders async_triggers_insert");
    update("operation = 'DELETE'");
    EXPECT_EQ(database.triggers(), "orders async_triggers_delete");
    EXPECT_EQ(database.functions(), "1");
    database.owner.exec("insert into users values (1); insert into orders values (1)");
    EXPECT_EQ(database.events(), "0");
    database.owner.exec("delete from orders");
    EXPECT_EQ(database.events(), "1");
    update("stream_id = 5");
    database.owner.exec("insert into orders values (1); delete from orders");
    EXPECT_EQ(database.value("select max(stream_id) from async_triggers.events"), "5");
    EXPECT_EQ(database.value("select count(*) from async_triggers.streams where id = 5"), "1");
}

TEST_F(Triggers, HaveNamesThatNeverCollide) {
    const std::string longest(63, 'x');
    std::string almost = longest;
    almost.back() = 'y';
    const std::vector<std::string> names = {"Users",
                                            "order items",
                                            "Order Items",
                                            "a.b",
                                            "a_b",
                                            "\"quoted\"",
                                            longest,
                                            almost,
                                            "sel%ect",
                                            "dépôt",
                                            "表表表表表表表表表表表表表表表表表表表表表",
                                            "it's",
                                            "select"};
    std::size_t expected = 0;
    for (const std::string schema : {"public", "Other Schema"}) {
        const auto quoted_schema = database.owner.quote_identifier(schema);
        database.owner.exec("create schema if not exists " + quoted_schema);
        database.owner.exec("grant usage on schema " + quoted_schema + " to daemon");
        for (const auto &name : names) {
            const auto table = quoted_schema + "." + database.owner.quote_identifier(name);
            database.owner.exec("create table " + table + " (\"Id.x\" int, \"order\" int)");
            for (const std::string operation : {"INSERT", "UPDATE", "DELETE"}) {
                database.daemon.exec("insert into async_triggers.subscriptions (key, stream_id, "
                                     "operation, schema_name, "
                                     "table_name, column_names) values ($1, 1, "
                                     "$2::text::async_triggers.operation_type, $3, $4, "
                                     "array['Id.x', 'order'])",
                                     {schema + name + operation, operation, schema, name});
                expected += 1;
            }
            database.owner.exec("insert into " + table + " values (1, 2); update " + table +
                                " set \"order\" = 3; delete from " + table);
            EXPECT_EQ(database.value(
                          "select string_agg(payload ->> 'tg_name', ' ' order by id) = " +
                          database.admin.quote_literal(schema + name + "INSERT " + schema + name +
                                                       "UPDATE " + schema + name + "DELETE") +
                          " from (select * from async_triggers.events order by id desc limit 3) e"),
                      "t")
                << table;
            EXPECT_EQ(database.value("select payload ->> 'tg_table_name' from "
                                     "async_triggers.events order by id desc limit 1"),
                      name);
            EXPECT_EQ(database.value("select payload ->> 'tg_table_schema' from "
                                     "async_triggers.events order by id desc limit 1"),
                      schema);
        }
    }
    EXPECT_EQ(database.events(), std::to_string(expected));
    EXPECT_EQ(database.functions(), std::to_string(expected));
    EXPECT_EQ(database.value("select max(octet_length(proname)) <= 63 from pg_proc where proname "
                             "like '\\_publish%'"),
              "t");
}

TEST_F(Triggers, FollowATableThatIsRenamedOrMovedToAnotherSchema) {
    database.subscribe("a", "INSERT", "users");
    database.owner.exec("alter table users rename to members; create schema crm; grant usage on "
                        "schema crm to daemon;"
                        "alter table members set schema crm; insert into crm.members values (1)");
    EXPECT_EQ(database.events(), "1");
    const auto trigger = trigger_version();
    update("column_names = array['email']"); // still called public.users
    database.owner.exec("insert into crm.members values (2, 'e')");
    EXPECT_EQ(database.payload("{new}"), R"({"email": "e"})");
    update("schema_name = 'crm', table_name = 'members'");
    EXPECT_EQ(trigger_version(), trigger);
    database.owner.exec("insert into crm.members values (3)");
    EXPECT_EQ(database.payload("{tg_table_name}"), "\"members\"");
    database.daemon.exec("delete from async_triggers.subscriptions");
    EXPECT_EQ(database.triggers() + database.functions(), "0");
}

TEST_F(Triggers, MoveToTheTableThatHasTakenTheName) {
    database.subscribe("a", "INSERT", "users");
    database.owner.exec("alter table users rename to users_old; create table users (id int)");
    update("column_names = '{}'");
    EXPECT_EQ(database.triggers(), "users async_triggers_insert");
    EXPECT_EQ(database.functions(), "1");
    database.owner.exec("insert into users_old values (1); insert into users values (1)");
    EXPECT_EQ(database.events(), "1");
}

TEST_F(Triggers, LeaveNothingBehindForADroppedTable) {
    database.subscribe("a", "INSERT", "users");
    database.subscribe("b", "INSERT", "users");
    database.owner.exec("drop table users");
    database.daemon.exec("delete from async_triggers.subscriptions where key = 'a'");
    EXPECT_EQ(database.functions(), "0");
    database.daemon.exec("delete from async_triggers.subscriptions");
    EXPECT_EQ(database.functions(), "0");
}

TEST_F(Triggers, AreMadeOnceForAThousandSubscriptionsOfOneStatement) {
    database.daemon.exec(
        "create table async_triggers.made (n bigint);"
        "insert into async_triggers.subscriptions (key, stream_id, operation, schema_name, "
        "table_name, "
        "column_names, when_clause) select 'k' || n, 1, 'INSERT', 'public', 'users', array['id'], "
        "'new.id = ' || n from generate_series(1, 1000) n");
    database.owner.exec("insert into users select generate_series(1, 3)");
    EXPECT_EQ(database.events(), "3");
    // A dead version of the function would be another row of pg_proc that this transaction made. The
    // counts of earlier transactions may still be among those of the session, hence the difference.
    const auto made = "select n_tup_upd from pg_stat_xact_sys_tables where relname = 'pg_proc'";
    database.daemon.exec("begin");
    const auto before = std::stoi(SubscribedDatabase::value(database.daemon, made));
    database.daemon.exec("update async_triggers.subscriptions set metadata = '{}'");
    EXPECT_EQ(std::stoi(SubscribedDatabase::value(database.daemon, made)) - before,
              2); // the function's text, and its right to be executed
    database.daemon.exec("commit");
    database.owner.exec("insert into users values (1000)");
    EXPECT_EQ(newest(), "\"k1000\"");
}

TEST_F(Triggers, AreToldApartFromThoseMadeByHand) {
    database.owner.exec(
        "create function mine() returns trigger language plpgsql as 'begin return null; end';"
        "create trigger async_triggers_insert after insert on users execute function mine()");
    const auto error = database.refusal(
        "insert into async_triggers.subscriptions (key, stream_id, operation, schema_name, "
        "table_name) values ('a', 1, 'INSERT', 'public', 'users')");
    EXPECT_EQ(error.sqlstate(), "42710");
    EXPECT_NE(error.hint().find("by hand"), std::string::npos);
}

TEST_F(Triggers, AreNotDroppedWithWhatOthersMadeOfTheirFunction) {
    database.subscribe("a", "INSERT", "users");
    const auto function =
        database.value("select oid::regproc from pg_proc where proname like '\\_publish%'");
    database.admin.exec(
        "create trigger copied after insert on users for each row execute function " + function +
        "()");
    const auto error = database.refusal("delete from async_triggers.subscriptions");
    EXPECT_EQ(error.sqlstate(), "2BP01");
    EXPECT_NE(
        std::string_view(error.what()).find("trigger copied on table public.users uses function"),
        std::string_view::npos)
        << error.what();
    database.owner.exec("drop trigger copied on users");
    database.daemon.exec("delete from async_triggers.subscriptions");
    EXPECT_EQ(database.functions(), "0");
}

TEST_F(Triggers, PublishWhatATransactionWroteBeforeItChangesTheSubscription) {
    database.owner.exec("create table parts (id int) partition by list (id);"
                        "create table parts_1 partition of parts default;"
                        "grant insert on users, parts to daemon");
    database.subscribe("a", "INSERT", "users");
    database.subscribe("p", "INSERT", "parts");
    for (const auto *change : {"update async_triggers.subscriptions set when_clause = 'new.id > 5'",
                               "update async_triggers.subscriptions set when_clause = null, "
                               "operation = 'DELETE' where key = 'a'",
                               "delete from async_triggers.subscriptions"}) {
        const auto before = std::stoi(database.events());
        database.daemon.exec("begin; insert into public.users values (7);"
                             "insert into public.parts values (7)");
        EXPECT_EQ(database.events(), std::to_string(before));
        database.daemon.exec(change);
        database.daemon.exec("commit");
        EXPECT_EQ(database.events(), std::to_string(before + (database.triggers() == "" ? 1 : 2)))
            << change;
    }
}

TEST_F(Triggers, LetDdlAndWritesShareATransactionAfterSetConstraints) {
    database.subscribe("a", "INSERT", "users");
    EXPECT_EQ(
        SubscribedDatabase::refusal(
            database.owner, "begin; insert into users values (1); alter table users add x int")
            .sqlstate(),
        "55006");
    database.owner.exec(
        "rollback; begin; insert into users values (1); set constraints all immediate;"
        "alter table users add x int; commit");
    EXPECT_EQ(database.events(), "1");
}

TEST_F(Triggers, NameTheSubscriptionWhenItsColumnHasGone) {
    database.subscribe("fine", "INSERT", "users", "array['id']");
    database.subscribe("mails", "INSERT", "users", "array['email']");
    database.owner.exec("insert into users values (1)"); // this session has its plans now
    database.owner.exec("alter table users rename email to mail");
    for (const auto *user : {"same", "another"}) {
        auto another = database.connect("owner");
        auto &session = std::string_view(user) == "same" ? database.owner : another;
        const auto error = SubscribedDatabase::refusal(session, "insert into users values (2)");
        EXPECT_EQ(error.sqlstate(), "42703");
        EXPECT_TRUE(
            std::string_view(error.what()).starts_with("subscription \"mails\" of stream 1: "))
            << error.what();
        EXPECT_NE(error.hint().find("async_triggers.subscriptions"), std::string::npos);
    }
    update("when_clause = 'new.id / (new.id - 1) > 0', column_names = '{}'", "key = 'mails'");
    EXPECT_TRUE(
        std::string_view(
            SubscribedDatabase::refusal(database.owner, "insert into users values (1)").what())
            .find("division by zero") != std::string_view::npos);
}

} // namespace
} // namespace pgat
