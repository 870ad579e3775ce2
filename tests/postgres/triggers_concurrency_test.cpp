#include <atomic>
#include <future>
#include <optional>

#include "postgres/subscribed_database.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using testing::SubscribedDatabase;

// Two sessions that change the subscriptions of one table at once: neither change may be lost.
class TwoSessions : public ::testing::Test {
  protected:
    TwoSessions() { database.owner.exec("create table users (id int, email text)"); }
    static std::string insert(const std::string &key) {
        return "insert into async_triggers.subscriptions (key, stream_id, operation, schema_name, "
               "table_name, column_names) "
               "values ('" +
               key + "', 1, 'INSERT', 'public', 'users', array['id'])";
    }
    // Runs `sql` in another thread, and returns once its session waits for a lock.
    std::future<std::optional<Error>> begin(postgres::Connection &session, const std::string &sql) {
        const auto pid = session.backend_pid();
        auto outcome = std::async(std::launch::async, [&session, sql]() -> std::optional<Error> {
            try {
                session.exec(sql);
                return std::nullopt;
            } catch (const Error &error) {
                return error;
            }
        });
        EXPECT_TRUE(support::eventually([&] {
            return database.value(fmt::format(
                       "select wait_event_type = 'Lock' from pg_stat_activity where pid = {}",
                       pid)) == "t";
        }));
        return outcome;
    }
    std::string published() {
        database.owner.exec("insert into users values (1)");
        return database.value("select coalesce(string_agg(payload ->> 'tg_name', ' ' order by id), "
                              "'') from async_triggers.events");
    }
    SubscribedDatabase database;
    postgres::Connection second = database.connect("daemon");
};

TEST_F(TwoSessions, BothInsertTheFirstSubscription) {
    database.daemon.exec("begin;" + insert("a"));
    auto other = begin(second, insert("b"));
    database.daemon.exec("commit");
    EXPECT_FALSE(other.get());
    EXPECT_EQ(published(), "a b");
}

TEST_F(TwoSessions, OneInsertsAndOneUpdates) {
    database.subscribe("a", "INSERT", "users");
    database.daemon.exec("begin; update async_triggers.subscriptions set payload_extensions = "
                         "'[{\"json_path\": \"x\", \"expression\": \"1\"}]'");
    auto other = begin(second, insert("b"));
    database.daemon.exec("commit");
    EXPECT_FALSE(other.get());
    EXPECT_EQ(published(), "a b");
    EXPECT_EQ(
        database.value("select payload ->> 'x' from async_triggers.events order by id limit 1"),
        "1");
}

TEST_F(TwoSessions, OneDeletesTheLastWhileOneInserts) {
    database.subscribe("a", "INSERT", "users");
    database.daemon.exec("begin; delete from async_triggers.subscriptions");
    auto other = begin(second, insert("b"));
    database.daemon.exec("commit");
    EXPECT_FALSE(other.get());
    EXPECT_EQ(published(), "b");
}

TEST_F(TwoSessions, TheFirstRollsBack) {
    database.daemon.exec("begin;" + insert("a"));
    auto other = begin(second, insert("b"));
    database.daemon.exec("rollback");
    EXPECT_FALSE(other.get());
    EXPECT_EQ(published(), "b");
}

TEST_F(TwoSessions, AnOldSnapshotIsToldToTryAgain) {
    for (const auto &first :
         {insert("a"), std::string("delete from async_triggers.subscriptions where key = 'z'")}) {
        database.daemon.exec("delete from async_triggers.subscriptions;" + insert("z"));
        second.exec(
            "begin isolation level repeatable read; select 1 from async_triggers.subscriptions");
        database.daemon.exec(first);
        const auto error = SubscribedDatabase::refusal(second, insert("b"));
        EXPECT_EQ(error.sqlstate(), "40001") << first << ": " << error.what();
        second.exec("rollback");
        second.exec(insert("b"));
        database.owner.exec("insert into users values (1)");
        EXPECT_EQ(
            database.value("select count(*) = (select count(*) from async_triggers.subscriptions) "
                           "from async_triggers.events where xid = (select max(xid) from "
                           "async_triggers.events)"),
            "t");
    }
}

TEST_F(TwoSessions, WritersGoOnWhileTheFunctionIsReplaced) {
    database.subscribe("a", "INSERT", "users");
    std::atomic<bool> stop = false;
    auto writer = std::async(std::launch::async, [&] {
        int written = 0;
        for (; !stop; ++written)
            database.owner.exec("insert into users values (1)");
        return written;
    });
    for (int n = 0; n < 30; ++n)
        database.daemon.exec(
            fmt::format("update async_triggers.subscriptions set metadata = '{}'", n));
    stop = true;
    // First: the last write may still be on its way.
    const auto written = writer.get();
    EXPECT_EQ(std::to_string(written), database.events());
}

} // namespace
} // namespace pgat
