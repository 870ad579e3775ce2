// What stands in an event arrives as it was written, by the stream and from the table alike.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/daemon.hpp"
#include "support/http_receiver.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::Daemon;
using support::HttpReceiver;
using support::Site;

std::string to(const HttpReceiver &receiver, const std::string &path = "/") {
    return "  type: http\n  url: " + receiver.url(path) + "\n";
}

TEST(Payloads, OfSixtyFourMegabytesComeFromTheTableAndByTheStream) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    site.exec("UPDATE async_triggers.subscriptions SET column_names = '{id,name}'");
    HttpReceiver receiver;
    const auto write = [&](std::int64_t id) {
        site.exec("INSERT INTO items VALUES ($1, repeat('x', 64 * 1024 * 1024)), ($1 + 1, 'y')",
                  {id});
    };
    write(1);
    Daemon daemon(site.configure(to(receiver)));
    ASSERT_TRUE(daemon.wait_until_streaming(60s)) << daemon.err();
    write(3);
    ASSERT_TRUE(receiver.wait_for(4, 60s)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    const auto requests = receiver.requests();
    ASSERT_EQ(requests.size(), 4U);
    for (const std::size_t large : {0U, 2U}) {
        EXPECT_GT(requests[large].body.size(), 64U << 20);
        EXPECT_LT(requests[large + 1].body.size(), 1000U);
    }
}

TEST(Payloads, TravelWithTheirSubscriptionsMetadata) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    site.exec(R"(UPDATE async_triggers.subscriptions SET metadata = '{"topic": "sign ups/ä"}')");
    HttpReceiver receiver;
    site.insert_items(1, 1);
    Daemon daemon(site.configure(to(receiver, "/{metadata:/topic}")));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(2, 2);
    ASSERT_TRUE(receiver.wait_for(2)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    for (const auto &request : receiver.requests()) {
        EXPECT_EQ(request.target, "/sign%20ups%2F%C3%A4");
        EXPECT_EQ(request.body.find("topic"), std::string::npos);
    }
}

TEST(Payloads, OfADatabaseThatIsNotUtf8ArriveByteForByte) {
    Cluster cluster({.settings = {}, .hba = {}, .encoding = "LATIN1"});
    Site site(cluster);
    site.subscribe_to_items();
    site.exec("UPDATE async_triggers.subscriptions SET column_names = '{id,name}',"
              " payload_extensions = '[{\"json_path\": \"amount\", \"expression\":"
              " \"12345678901234567890.123456789\"}]'");
    // Every character that the encoding has.
    site.exec("CREATE FUNCTION all_characters() RETURNS text LANGUAGE sql AS"
              " $$ SELECT string_agg(chr(c), '' ORDER BY c) FROM generate_series(1, 255) c"
              " WHERE c NOT BETWEEN 128 AND 159 $$");
    HttpReceiver receiver;
    site.exec("INSERT INTO items VALUES (1, all_characters())");
    Daemon daemon(site.configure(to(receiver)));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.exec("INSERT INTO items VALUES (2, all_characters())");
    ASSERT_TRUE(receiver.wait_for(2)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    const auto written = site.exec("SELECT payload FROM async_triggers.events ORDER BY id");
    const auto requests = receiver.requests();
    for (int row = 0; row < 2; ++row) {
        const auto &body = requests[static_cast<std::size_t>(row)].body;
        EXPECT_EQ(body, written.text(row, 0));
        EXPECT_NE(body.find("12345678901234567890.123456789"), std::string::npos) << body;
        const auto name = nlohmann::json::parse(body)["new"]["name"].get<std::string>();
        EXPECT_TRUE(name.ends_with("üýþÿ")) << name;
    }
}

TEST(Payloads, OfAThousandSubscriptionsOfOneTableAllCome) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    site.exec("INSERT INTO async_triggers.subscriptions"
              " (key, stream_id, operation, schema_name, table_name, column_names, when_clause)"
              " SELECT 'k' || n, $1, 'INSERT', 'public', 'items', '{id}', 'new.id <> ' || n"
              " FROM generate_series(2, 1000) n",
              {site.stream()});
    Daemon daemon(site.configure(support::printing_sink));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 2);
    ASSERT_TRUE(daemon.wait_for_out_lines(1999)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    const auto ids = support::item_ids(daemon.out());
    EXPECT_EQ(std::count(ids.begin(), ids.end(), 1), 1000);
    EXPECT_EQ(std::count(ids.begin(), ids.end(), 2), 999);
}

} // namespace
} // namespace pgat
