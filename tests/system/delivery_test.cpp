// The whole way: a row is written, its event arrives.
#include <csignal>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/daemon.hpp"
#include "support/http_receiver.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using support::Cluster;
using support::Daemon;
using support::HttpReceiver;
using support::numbers;
using support::Site;

constexpr auto print = support::printing_sink;

TEST(Delivery, OfTheTwoSubscriptionsOfTheDescriptionGivesExactlyItsPayloads) {
    Site site(Cluster::shared());
    HttpReceiver receiver;
    Daemon daemon(site.configure("  type: http\n  url: " + receiver.url("/events") + "\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();

    site.exec("CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY (START 123), email text,"
              " email_verified boolean, password text,"
              " created_at timestamptz DEFAULT '2024-12-12T10:30:00Z')");
    site.exec("CREATE TABLE orders (id bigint, user_id bigint, total numeric, secret text)");
    site.exec("GRANT TRIGGER ON users, orders TO PUBLIC");
    site.exec("insert into async_triggers.subscriptions (key, stream_id, operation, schema_name, "
              "table_name,"
              " when_clause, column_names, payload_extensions) values ('user-signup', $1, 'INSERT',"
              " 'public', 'users', 'new.email_verified = true', array['id', 'email', 'created_at'],"
              " '[]'::jsonb)",
              {site.stream()});
    site.exec("insert into async_triggers.subscriptions (key, stream_id, operation, schema_name, "
              "table_name,"
              " when_clause, column_names, payload_extensions) values ('order-notification', $1, "
              "'INSERT',"
              " 'public', 'orders', null, array['id', 'user_id', 'total'],"
              " '[{\"json_path\": \"group_id\", \"expression\": \"new.user_id::text\"},"
              "   {\"json_path\": \"queue_name\", \"expression\": "
              "\"''orders-high-priority''\"}]'::jsonb)",
              {site.stream()});

    site.exec("insert into users (email, email_verified) values ('ada@example.org', true)");
    site.exec("insert into users (email, email_verified) values ('nobody@example.org', false)");
    site.exec("insert into orders values (456, 123, 99.99, 'not for the sink')");

    ASSERT_TRUE(receiver.wait_for(2)) << daemon.err();
    const auto requests = receiver.requests();
    auto signup = json::parse(requests[0].body);
    EXPECT_TRUE(signup["timestamp"].is_number_integer());
    EXPECT_GT(signup["timestamp"].get<std::int64_t>(), 1'700'000'000'000);
    signup.erase("timestamp");
    // timestamptz prints in the writer's time zone; the moment is what counts.
    const auto created = signup["new"]["created_at"].get<std::string>();
    signup["new"].erase("created_at");
    EXPECT_EQ(site.exec("SELECT $1::timestamptz = '2024-12-12T10:30:00Z'", {created}).text(0, 0),
              "t");
    EXPECT_EQ(signup, json::parse(R"({"tg_name": "user-signup", "tg_op": "INSERT",
        "tg_table_name": "users", "tg_table_schema": "public",
        "new": {"id": 123, "email": "ada@example.org"}, "old": null})"));
    auto order = json::parse(requests[1].body);
    order.erase("timestamp");
    EXPECT_EQ(order, json::parse(R"({"tg_name": "order-notification", "tg_op": "INSERT",
        "tg_table_name": "orders", "tg_table_schema": "public",
        "new": {"id": 456, "user_id": 123, "total": 99.99}, "old": null,
        "group_id": "123", "queue_name": "orders-high-priority"})"));
    EXPECT_FALSE(requests[0].header("webhook-id").empty());
    EXPECT_NE(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(receiver.requests().size(), 2U);
}

TEST(Delivery, OfUpdatesAndDeletesCarriesOldAndNew) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    site.exec("INSERT INTO async_triggers.subscriptions"
              " (key, stream_id, operation, schema_name, table_name, column_names) VALUES"
              " ('item-changed', $1, 'UPDATE', 'public', 'items', '{id,name}'),"
              " ('item-gone', $1, 'DELETE', 'public', 'items', '{id,name}')",
              {site.stream()});
    HttpReceiver receiver;
    Daemon daemon(site.configure("  type: http\n  url: " + receiver.url() + "\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.exec("INSERT INTO items VALUES (1, 'a')");
    site.exec("UPDATE items SET name = 'b'");
    site.exec("DELETE FROM items");
    ASSERT_TRUE(receiver.wait_for(3)) << daemon.err();
    const auto requests = receiver.requests();
    const auto update = json::parse(requests[1].body);
    EXPECT_EQ(update["tg_op"], "UPDATE");
    EXPECT_EQ(update["old"], json::parse(R"({"id": 1, "name": "a"})"));
    EXPECT_EQ(update["new"], json::parse(R"({"id": 1, "name": "b"})"));
    const auto removal = json::parse(requests[2].body);
    EXPECT_EQ(removal["tg_op"], "DELETE");
    EXPECT_EQ(removal["old"], json::parse(R"({"id": 1, "name": "b"})"));
    EXPECT_TRUE(removal["new"].is_null());
}

TEST(Delivery, OfEventsWrittenBeforeTheFirstStart) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    site.insert_items(1, 10);
    Daemon daemon(site.configure(print));
    ASSERT_TRUE(daemon.wait_for_out_lines(10)) << daemon.err();
    ASSERT_TRUE(daemon.wait_until_streaming());
    site.insert_items(11, 20);
    ASSERT_TRUE(daemon.wait_for_out_lines(20)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(support::item_ids(daemon.out()), numbers(1, 20));
}

TEST(Delivery, AcrossCleanStopsMakesNoDuplicates) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    std::vector<std::int64_t> delivered;
    for (int round = 0; round < 4; ++round) {
        Daemon daemon(site.configure(print));
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        site.insert_items(round * 100 + 1, round * 100 + 50);
        ASSERT_TRUE(daemon.wait_for_out_lines(round == 0 ? 50 : 100)) << daemon.err();
        EXPECT_EQ(daemon.stop(), 0) << daemon.err();
        const auto ids = support::item_ids(daemon.out());
        delivered.insert(delivered.end(), ids.begin(), ids.end());
        // While it is away.
        site.insert_items(round * 100 + 51, round * 100 + 100);
    }
    EXPECT_EQ(delivered, numbers(1, 350));
}

TEST(Delivery, GoesOnWhereItWasAfterAStopInTheMiddleOfATransaction) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    std::vector<std::int64_t> delivered;
    {
        Daemon daemon(site.configure(print));
        daemon.read_out_lines_up_to(20'000);
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        site.insert_items(1, 100'000);
        ASSERT_TRUE(daemon.wait_for_out_lines(20'000)) << daemon.err();
        daemon.signal(SIGTERM);
        // It is in the middle of a batch that its full pipe does not take; it is let go on with that one.
        ASSERT_TRUE(daemon.wait_for_err("stopping"));
        daemon.read_out_lines_up_to(SIZE_MAX);
        EXPECT_EQ(daemon.wait(), 0) << daemon.err();
        daemon.wait_for_end_of_output();
        delivered = support::item_ids(daemon.out());
        EXPECT_LT(delivered.size(), 100'000U);
    }
    Daemon daemon(site.configure(print));
    ASSERT_TRUE(daemon.wait_for_out_lines(100'000 - delivered.size())) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0);
    const auto rest = support::item_ids(daemon.out());
    delivered.insert(delivered.end(), rest.begin(), rest.end());
    EXPECT_EQ(delivered, numbers(1, 100'000));
}

TEST(Delivery, LeavesOutWhatWasRolledBack) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    Daemon daemon(site.configure(print));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.exec("BEGIN; INSERT INTO items VALUES (1); SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK");
    site.exec(
        "BEGIN; INSERT INTO items VALUES (2); SAVEPOINT a; INSERT INTO items VALUES (3);"
        " SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK TO a; INSERT INTO items VALUES (4); COMMIT");
    ASSERT_TRUE(daemon.wait_for_out_lines(2)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_EQ(support::item_ids(daemon.out()), (std::vector<std::int64_t>{2, 4}));
}

TEST(Delivery, OfTwoStreamsOnOneTableGivesEachItsOwn) {
    auto &cluster = Cluster::shared();
    Site site(cluster);
    Site other(cluster); // for its number and role only
    site.subscribe_to_items();
    site.exec("INSERT INTO async_triggers.subscriptions"
              " (key, stream_id, operation, schema_name, table_name, when_clause, column_names)"
              " VALUES ('big', $1, 'INSERT', 'public', 'items', 'new.id > 5', '{id}')",
              {other.stream()});
    Daemon daemon(site.configure(print));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 10);
    ASSERT_TRUE(daemon.wait_for_out_lines(10)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_EQ(support::item_ids(daemon.out()), numbers(1, 10));
    EXPECT_EQ(site.exec("SELECT count(*) FROM async_triggers.events WHERE stream_id = $1",
                        {other.stream()})
                  .integer(0, 0),
              5);
}

TEST(Delivery, KeepsNumbersAndTextAsPostgresPrintsThem) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    site.exec("DELETE FROM async_triggers.subscriptions");
    site.exec(
        "CREATE TABLE odd (id bigint, amount numeric, note text); GRANT TRIGGER ON odd TO PUBLIC");
    site.exec("INSERT INTO async_triggers.subscriptions"
              " (key, stream_id, operation, schema_name, table_name, column_names)"
              " VALUES ('odd', $1, 'INSERT', 'public', 'odd', '{id,amount,note}')",
              {site.stream()});
    HttpReceiver receiver;
    Daemon daemon(site.configure("  type: http\n  url: " + receiver.url() + "\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    const std::string note = "ä € 𝄞 \U0010FFFF \u00a0 \" \\ \x7f";
    site.exec("INSERT INTO odd VALUES (1, 12345678901234567890.123456789, $1)", {note});
    ASSERT_TRUE(receiver.wait_for(1)) << daemon.err();
    const auto body = receiver.requests()[0].body;
    EXPECT_NE(body.find("12345678901234567890.123456789"), std::string::npos) << body;
    EXPECT_EQ(json::parse(body)["new"]["note"], note);
    EXPECT_EQ(body, site.exec("SELECT payload FROM async_triggers.events").text(0, 0));
}

TEST(Delivery, OfALargeEventWorks) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    site.exec("UPDATE async_triggers.subscriptions SET column_names = '{id,name}'");
    HttpReceiver receiver;
    Daemon daemon(site.configure("  type: http\n  url: " + receiver.url() + "\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.exec("INSERT INTO items VALUES (1, repeat('x', 64 * 1024 * 1024)), (2, 'y')");
    ASSERT_TRUE(receiver.wait_for(2, 60s)) << daemon.err();
    EXPECT_GT(receiver.requests()[0].body.size(), 64U << 20);
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace
} // namespace pgat
