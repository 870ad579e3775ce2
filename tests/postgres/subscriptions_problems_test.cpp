#include "postgres/subscribed_database.hpp"

namespace pgat {
namespace {

using testing::SubscribedDatabase;

class Problems : public ::testing::Test {
  protected:
    Problems() {
        database.owner.exec("create table users (id int, email text, active boolean)");
        database.subscribe("mails", "INSERT", "users", "array['email']", "'new.active'");
        database.subscribe("ids", "INSERT", "users", "array['id']");
    }
    std::string problems(const std::string &stream = "") {
        return SubscribedDatabase::value(
            database.daemon,
            "select coalesce(string_agg(concat_ws('|', stream_id, key, problem, hint), '; '), '') "
            "from async_triggers.subscription_problems(" +
                stream + ")");
    }
    void expect(const std::string &part) {
        const auto found = problems();
        EXPECT_NE(found.find(part), std::string::npos) << found;
    }
    void refresh() { database.daemon.exec("select async_triggers.refresh_triggers()"); }
    SubscribedDatabase database;
};

TEST_F(Problems, AreNoneOfWhatIsWell) { EXPECT_EQ(problems(), ""); }

TEST_F(Problems, AreAColumnThatHasGone) {
    database.owner.exec("alter table users rename email to mail");
    expect("1|mails|subscription \"mails\" of stream 1: column_names: public.users has no column "
           "email|Its columns are");
    EXPECT_EQ(problems().find("|ids|"), std::string::npos);
    EXPECT_EQ(problems("2"), "");
    database.owner.exec("alter table users rename mail to email; alter table users drop active");
    expect("when_clause: column new.active does not exist");
}

TEST_F(Problems, AreATriggerDroppedOrDisabled) {
    database.owner.exec("alter table users disable trigger async_triggers_insert");
    expect("trigger async_triggers_insert is disabled on public.users|alter table public.users "
           "enable trigger");
    database.owner.exec("drop trigger async_triggers_insert on users");
    expect("trigger async_triggers_insert on public.users is missing|select "
           "async_triggers.refresh_triggers()");
    refresh();
    EXPECT_EQ(problems(), "");
    EXPECT_EQ(database.functions(), "1");
}

TEST_F(Problems, AreATableMadeAnewUnderTheName) {
    database.owner.exec(
        "drop table users; create table users (id int, email text, active boolean)");
    expect("public.users is now another table than the one it watches (dropped)|select "
           "async_triggers.refresh_triggers()");
    refresh();
    EXPECT_EQ(problems(), "");
    database.owner.exec("insert into users values (1, 'x', true)");
    EXPECT_EQ(database.events(), "2");
    EXPECT_EQ(database.functions(), "1");
    database.owner.exec("drop table users");
    expect("there is no table public.users");
}

TEST_F(Problems, AreSubscriptionsWrittenWhileTriggersWereOff) {
    database.admin.exec("set session_replication_role = replica; delete from "
                        "async_triggers.subscriptions where key = 'ids';"
                        "update async_triggers.subscriptions set operation = 'DELETE'");
    expect("1|mails|subscription \"mails\" of stream 1: when_clause uses \"new\"");
    database.admin.exec("update async_triggers.subscriptions set when_clause = 'old.active'; "
                        "set session_replication_role = origin");
    expect("has no effect yet|select async_triggers.refresh_triggers()");
    refresh();
    EXPECT_EQ(problems(), "");
    EXPECT_EQ(database.triggers(), "users async_triggers_delete");
}

TEST_F(Problems, AreAPartitionedTablesNewOwnerWithoutTheFunction) {
    database.owner.exec("create table parts (id int) partition by list (id)");
    database.subscribe("p", "INSERT", "parts");
    database.admin.exec("alter table parts owner to stranger");
    expect("public.parts has another owner now, stranger, who cannot create partitions");
    refresh();
    EXPECT_EQ(problems(), "");
    database.connect("stranger")
        .exec("create table parts_1 partition of parts default; insert into parts values (1)");
    EXPECT_EQ(database.events(), "1");
}

TEST_F(Problems, OfAColumnWhoseTypeChangedUnderASessionEndWithARefresh) {
    database.owner.exec("insert into users values (1, 'x', true)");
    database.owner.exec("alter table users alter id type bigint");
    refresh();
    database.owner.exec("insert into users values (2, 'y', true)");
    EXPECT_EQ(database.events(), "4");
}

} // namespace
} // namespace pgat
