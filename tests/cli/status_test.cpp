// Somebody who has never seen the project finds each trouble, and its remedy, in what `status` prints.
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/fixture.hpp"
#include "support/daemon.hpp"
#include "support/waiting.hpp"

namespace pgat::cli {

namespace {

using nlohmann::json;
using support::Cluster;
using support::Daemon;
using support::eventually;
using support::Site;

class Status : public testing::Test {
  protected:
    Status() : site(Cluster::shared()) { site.subscribe_to_items(); }

    void sink_at_a_closed_port() {
        configuration = site.configure(
            fmt::format("  type: http\n  url: http://127.0.0.1:{}/\n", support::free_port()),
            "  retry: {attempts: 1, initial_backoff_ms: 1, max_backoff_ms: 20}\n");
    }
    support::Finished status(std::vector<std::string> more = {}) const {
        more.insert(more.begin(), {"--config", configuration.string(), "status"});
        return site.run_program(std::move(more));
    }
    json status_json() const {
        const auto finished = status({"--json"});
        EXPECT_EQ(finished.status, 0) << finished.err;
        return json::parse(finished.out);
    }
    // "sink_down dead_letters …"
    static std::string codes(const json &status) {
        std::string all;
        for (const auto &finding : status.at("findings"))
            all += finding.at("code").get<std::string>() + " ";
        return all;
    }
    // Streams, and has made its partitions.
    bool settled() const {
        return eventually([&] {
            const auto object = status_json();
            return object.at("state") == "streaming" &&
                   object.at("partitions").at("missing").empty();
        });
    }
    bool says(const std::string &what) const {
        return eventually([&] { return status().out.find(what) != std::string::npos; });
    }

    Site site;
    std::filesystem::path configuration = site.configure("  type: memory\n");
};

TEST_F(Status, OfAStreamThatIsWellSaysSo) {
    Daemon daemon(configuration);
    ASSERT_TRUE(settled()) << daemon.err();
    site.insert_items(1, 3);
    // The row is stored about once a second.
    ASSERT_TRUE(says("lag            0 events")) << status().out;
    const auto finished = status();
    EXPECT_EQ(finished.status, 0);
    EXPECT_EQ(finished.err, "");
    const std::string &out = finished.out;
    EXPECT_TRUE(out.starts_with(
        fmt::format("stream         {}: streaming, nothing is wrong\n", site.stream())))
        << out;
    EXPECT_NE(out.find(fmt::format("daemon         async_triggers_{}_", site.stream())),
              std::string::npos)
        << out;
    EXPECT_NE(out.find(": reads the slot\n"), std::string::npos) << out;
    EXPECT_NE(out.find("\nslot           " + site.slot() + ", read, reserved; holds "),
              std::string::npos)
        << out;
    EXPECT_NE(out.find("; today and 3 days ahead; "), std::string::npos) << out;
    EXPECT_NE(out.find("\ndead letters   none\n"), std::string::npos) << out;
    EXPECT_NE(out.find("\nsubscriptions  1 on 1 table\n"), std::string::npos) << out;
    EXPECT_EQ(out.find('\033'), std::string::npos);

    const auto object = status_json();
    EXPECT_EQ(object.at("state"), "streaming");
    EXPECT_EQ(object.at("healthy"), true);
    EXPECT_EQ(codes(object), "");
    EXPECT_EQ(object.at("lag").at("events"), 0);
    EXPECT_EQ(object.at("lag").at("seconds"), 0);
    EXPECT_EQ(object.at("failover"), nullptr);
}

// The keys of an object, and of the objects in it.
void collect_keys(const json &value, std::set<std::string> &keys) {
    if (value.is_object())
        for (const auto &[key, below] : value.items()) {
            keys.insert(key);
            collect_keys(below, keys);
        }
    else if (value.is_array())
        for (const auto &element : value)
            collect_keys(element, keys);
}

TEST_F(Status, HasNoKeyThatTheDocumentationDoesNotName) {
    sink_at_a_closed_port();
    Daemon daemon(configuration);
    ASSERT_TRUE(settled()) << daemon.err();
    site.insert_items(1, 1);
    ASSERT_TRUE(says("the sink is down")) << status().out;
    std::set<std::string> keys;
    collect_keys(status_json(), keys);
    EXPECT_GT(keys.size(), 50U);
    std::stringstream page;
    const char *const folder = std::getenv("PGAT_SOURCE_DIR"); // NOLINT(concurrency-mt-unsafe)
    page << std::ifstream(fmt::format("{}/docs/status.md", folder == nullptr ? "." : folder))
                .rdbuf();
    for (const auto &key : keys)
        EXPECT_NE(page.str().find("`" + key + "`"), std::string::npos) << key;
}

TEST_F(Status, WithoutADaemonSaysWhatWaits) {
    site.insert_items(1, 2);
    const auto before = status();
    EXPECT_EQ(before.status, 0);
    EXPECT_TRUE(before.out.starts_with(
        fmt::format("note     no daemon has run stream {} yet; 2 events wait in the table\n"
                    "         start the daemon; if it does not stay, this says why:\n"
                    "         postgres-async-triggers check\n",
                    site.stream())))
        << before.out;
    {
        Daemon daemon(configuration);
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        ASSERT_EQ(daemon.stop(), 0);
    }
    site.insert_items(3, 3);
    const auto after = status();
    EXPECT_TRUE(after.out.starts_with("PROBLEM  no daemon runs; the last sign of one is "))
        << after.out;
    EXPECT_NE(after.out.find("; 1 event waits in the table\n"), std::string::npos) << after.out;
    EXPECT_EQ(status_json().at("state"), "away");
}

TEST_F(Status, SaysThatTheSinkIsDownSinceWhenAndWhy) {
    sink_at_a_closed_port();
    Daemon daemon(configuration);
    ASSERT_TRUE(settled()) << daemon.err();
    site.insert_items(1, 7);
    ASSERT_TRUE(says("PROBLEM  the sink is down for ")) << status().out;
    ASSERT_TRUE(says("7 events wait in the table")) << status().out;
    const auto out = status().out;
    EXPECT_NE(out.find("         see to the sink; the daemon tries again "), std::string::npos)
        << out;
    EXPECT_NE(out.find(": failover for "), std::string::npos) << out;
    EXPECT_NE(out.find("\ncheckpoint     event "), std::string::npos) << out;
    const auto object = status_json();
    EXPECT_EQ(object.at("state"), "failover");
    EXPECT_EQ(object.at("healthy"), false);
    EXPECT_EQ(codes(object), "sink_down ");
    EXPECT_FALSE(object.at("failover").at("reason").get<std::string>().empty());
    EXPECT_TRUE(object.at("failover").at("since").is_string());
}

TEST_F(Status, SaysThatTheSlotIsLostAndThatNothingElseIs) {
    {
        Daemon daemon(configuration);
        ASSERT_TRUE(settled()) << daemon.err();
        ASSERT_EQ(daemon.stop(), 0);
    }
    site.exec("SELECT pg_drop_replication_slot($1)", {site.slot()});
    const auto out = status().out;
    EXPECT_NE(out.find("PROBLEM  replication slot " + site.slot() + " is gone"), std::string::npos)
        << out;
    EXPECT_NE(out.find("         start the daemon: it makes it anew\n"
                       "         no event is lost: what the slot had is delivered from the table"),
              std::string::npos)
        << out;
    EXPECT_TRUE(codes(status_json()).starts_with("daemon_away slot_missing "));
}

TEST_F(Status, SaysThatASlotIsSomebodyElses) {
    site.exec("SELECT pg_create_physical_replication_slot($1)", {site.slot()});
    const auto out = status().out;
    EXPECT_NE(out.find("is not ours: it is a physical slot"), std::string::npos) << out;
    EXPECT_NE(out.find("stream.slot_name"), std::string::npos) << out;
    site.exec("SELECT pg_drop_replication_slot($1)", {site.slot()});
}

TEST_F(Status, SaysThatThereIsNoPartitionForTomorrow) {
    const std::string tomorrow(
        site.exec("SELECT 'events_' || to_char((now() AT TIME ZONE 'UTC')::date + 1, 'YYYYMMDD')")
            .text(0, 0));
    {
        Daemon daemon(configuration);
        ASSERT_TRUE(settled()) << daemon.err();
        ASSERT_EQ(daemon.stop(), 0);
    }
    site.exec("DROP TABLE async_triggers." + tomorrow);
    const auto out = status().out;
    EXPECT_NE(out.find("PROBLEM  there is no partition " + tomorrow +
                       ": from midnight (UTC) on events go into the default one\n"
                       "         start the daemon: it makes them at its start and every day"),
              std::string::npos)
        << out;
    EXPECT_EQ(status_json().at("partitions").at("missing"), json::array({tomorrow}));
}

TEST_F(Status, SaysThatDeadLettersGrowAndWhatTheLastOneSaid) {
    site.exec("INSERT INTO async_triggers.dead_letters (stream_id, event_id, event_created_at,"
              " payload, reason, attempts, failed_at) SELECT $1, n, now(), '{}', 'status 422', 1,"
              " now() - interval '1 minute' * n FROM generate_series(1, 100) n",
              {site.stream()});
    const auto out = status().out;
    EXPECT_TRUE(out.starts_with("PROBLEM  100 dead letters, 59 in the last hour; the last "
                                "one 1 min 0"))
        << out;
    EXPECT_NE(out.find(" ago: status 422\n"
                       "         see them, mend the cause, deliver them again:\n"
                       "         postgres-async-triggers dead-letters list\n"),
              std::string::npos)
        << out;
    EXPECT_NE(out.find("\ndead letters   100\n"), std::string::npos) << out;
    // Those of long ago are no alarm.
    site.exec("UPDATE async_triggers.dead_letters SET failed_at = now() - interval '2 days'");
    EXPECT_NE(status().out.find("note     100 dead letters; the last one 2 d 00 h ago"),
              std::string::npos)
        << status().out;
}

TEST_F(Status, SaysWhichSubscriptionADroppedColumnHasBroken) {
    site.exec("ALTER TABLE public.items DROP COLUMN id");
    const auto out = status().out;
    EXPECT_TRUE(out.starts_with("PROBLEM  subscription \"")) << out;
    EXPECT_NE(out.find("id"), std::string::npos) << out;
    EXPECT_NE(codes(status_json()).find("trigger_broken"), std::string::npos);
}

TEST_F(Status, SaysWhatTheDaemonsRoleMayNotRead) {
    site.exec("REVOKE ALL ON async_triggers.dead_letters FROM PUBLIC, " + site.role());
    const auto out = status().out;
    EXPECT_NE(out.find("PROBLEM  dead letters could not be read: permission denied"),
              std::string::npos)
        << out;
    EXPECT_NE(out.find("\ndead letters   not known\n"), std::string::npos) << out;
}

class StatusWithoutAStream : public CliTest {};

TEST_F(StatusWithoutAStream, SaysThatADatabaseHasNoSchema) {
    const auto database = Cluster::shared().create_database();
    configure(Cluster::shared(), database);
    const auto finished = run({"status"});
    EXPECT_EQ(finished.status, 0);
    EXPECT_TRUE(finished.out.starts_with("PROBLEM  database " + database +
                                         " has no schema async_triggers\n"))
        << finished.out;
}

TEST_F(StatusWithoutAStream, NamesTheOtherStreamsOfTheDatabase) {
    const auto database = Cluster::shared().create_database();
    configure(Cluster::shared(), database);
    ASSERT_EQ(run({"migrate"}).status, 0);
    Cluster::shared().connect(database).exec(
        "INSERT INTO async_triggers.streams (id) VALUES (4), (5)");
    const auto out = run({"status"}).out;
    EXPECT_NE(out.find("this database has stream 4, 5: is stream.id right?"), std::string::npos)
        << out;
}

TEST_F(StatusWithoutAStream, ShowsAWrongPasswordAndFails) {
    Cluster guarded(
        Cluster::Options{.settings = {}, .hba = {"host all app 127.0.0.1/32 scram-sha-256"}});
    guarded.connect("postgres").exec("CREATE ROLE app LOGIN PASSWORD 'right'");
    configure(guarded, "postgres", "app");
    const std::string variable = "ASYNC_TRIGGERS_STREAM__PG_CONNECTION__PASSWORD";
    const auto finished = run({"status"}, {{variable, "hunter2"}});
    EXPECT_EQ(finished.status, 1);
    EXPECT_TRUE(finished.out.starts_with("PROBLEM  cannot connect to Postgres: ")) << finished.out;
    EXPECT_NE(finished.out.find("password authentication failed for user \"app\"\n"
                                "         check user and password"),
              std::string::npos)
        << finished.out;
    EXPECT_EQ(finished.out.find("hunter2"), std::string::npos);
    const auto object = json::parse(run({"status", "--json"}, {{variable, "hunter2"}}).out);
    EXPECT_EQ(object.at("state"), "unreachable");
    EXPECT_EQ(object.at("findings").at(0).at("code"), "unreachable");
}

} // namespace

} // namespace pgat::cli
