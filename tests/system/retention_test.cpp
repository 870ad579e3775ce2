// What is past retention goes once it is delivered, and not before: not while the sink is down, nor while
// another stream needs it whose daemon does not run. The log says long before that something waits.
#include <algorithm>

#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/http_receiver.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using support::Cluster;
using support::Daemon;
using support::eventually;
using support::HttpReceiver;
using support::Site;

constexpr auto print = support::printing_sink;
constexpr auto kept = "a partition past retention is kept, it has undelivered events";
constexpr auto waits = "events wait undelivered for more than half of the retention time";

class Retention : public testing::Test {
  protected:
    Retention() : site(Cluster::shared()) { site.subscribe_to_items(); }

    bool exists(const std::string &partition) {
        return site.exec("SELECT to_regclass('async_triggers.' || $1) IS NOT NULL", {partition})
            .boolean(0, 0);
    }
    std::int64_t old_rows_in_default() {
        return site
            .exec("SELECT count(*) FROM async_triggers.events_default WHERE created_at < now() -"
                  " interval '8 days'")
            .integer(0, 0);
    }
    // A start looks after the partitions.
    void start_and_stop() {
        Daemon daemon(site.configure(print));
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        ASSERT_TRUE(wait_for_maintenance(daemon)) << daemon.err();
        EXPECT_EQ(daemon.stop(), 0) << daemon.err();
        log += daemon.err();
    }
    // Of this daemon: what the row says must be younger than its start.
    bool wait_for_maintenance(Daemon &daemon) {
        const bool done = eventually([this] {
            return site
                .exec("SELECT coalesce(next_maintenance_at, '-infinity') > $1::timestamptz FROM"
                      " async_triggers.streams WHERE id = $2",
                      {last_maintenance, site.stream()})
                .boolean(0, 0);
        });
        last_maintenance = site.exec("SELECT next_maintenance_at FROM async_triggers.streams"
                                     " WHERE id = $1",
                                     {site.stream()})
                               .text(0, 0);
        return done && daemon.running();
    }

    Site site;
    std::string last_maintenance = "-infinity";
    std::string log;
};

TEST_F(Retention, KeepsWhatAStreamInAnOutageNeeds) {
    const auto old = site.make_past_day(10);
    site.write_in_the_past(10, 5);
    site.write_in_the_past(20, 7); // into the default partition
    HttpReceiver receiver;
    receiver.answer_with(503);
    const auto configuration = site.configure("  type: http\n  url: " + receiver.url() + "\n");
    {
        Daemon daemon(configuration);
        ASSERT_TRUE(daemon.wait_for_err(kept)) << daemon.err();
        ASSERT_TRUE(daemon.wait_for_err(waits)) << daemon.err();
        ASSERT_TRUE(wait_for_maintenance(daemon)) << daemon.err();
        EXPECT_TRUE(exists(old));
        EXPECT_EQ(old_rows_in_default(), 7);
        receiver.answer_with(200);
        ASSERT_TRUE(eventually([&] {
            const auto all = receiver.requests();
            return std::count_if(all.begin(), all.end(), [](const auto &request) {
                       return request.body.find("\"id\": -") != std::string::npos;
                   }) >= 12;
        })) << daemon.err();
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    }
    start_and_stop();
    EXPECT_FALSE(exists(old));
    EXPECT_EQ(old_rows_in_default(), 0);
    EXPECT_EQ(log.find(kept), std::string::npos) << log;
    EXPECT_EQ(log.find(waits), std::string::npos) << log;
}

TEST_F(Retention, KeepsWhatAnotherStreamNeedsThatNoDaemonRuns) {
    const Site other(Cluster::shared()); // for its number only
    site.exec("INSERT INTO async_triggers.subscriptions"
              " (key, stream_id, operation, schema_name, table_name, column_names)"
              " VALUES ('theirs', $1, 'INSERT', 'public', 'items', '{id}')",
              {other.stream()});
    const auto old = site.make_past_day(10);
    site.write_in_the_past(10, 5);
    site.write_in_the_past(10, 3, other.stream());
    site.write_in_the_past(20, 2, other.stream());
    start_and_stop();
    log.clear();
    start_and_stop();
    EXPECT_TRUE(exists(old));
    EXPECT_EQ(old_rows_in_default(), 2);
    const auto theirs = std::to_string(other.stream());
    EXPECT_NE(log.find(std::string(kept) + " partition=" + old + " streams=" + theirs + " since="),
              std::string::npos)
        << log;
    EXPECT_NE(log.find(std::string(waits) + " stream=" + theirs + " "), std::string::npos) << log;
    EXPECT_NE(log.find("postgres-async-triggers teardown --stream " + theirs), std::string::npos)
        << log;

    // What the log says to do of a stream that has ended.
    const auto torn = site.run_program(
        {"--config", site.configure(print), "teardown", "--stream", theirs, "--yes"});
    EXPECT_EQ(torn.status, 0) << torn.err;
    log.clear();
    start_and_stop();
    EXPECT_FALSE(exists(old)) << log;
    EXPECT_EQ(old_rows_in_default(), 0);
}

TEST_F(Retention, KeepsWhatAStreamInAnOutageNeedsFromAnothersDaemon) {
    Site other(Cluster::shared()); // for its number and its role
    site.exec("GRANT CREATE ON DATABASE " + site.database() + " TO " + other.role() + "; GRANT " +
              site.role() + " TO " + other.role());
    const auto old = site.make_past_day(10);
    site.write_in_the_past(10, 5);
    HttpReceiver receiver;
    receiver.answer_with(503);
    Daemon waiting(site.configure("  type: http\n  url: " + receiver.url() + "\n"));
    ASSERT_TRUE(waiting.wait_for_err(kept)) << waiting.err();
    // A stream that has nothing to deliver, and looks after the partitions of all.
    const auto configuration = site.configure(print, "  slot_name: " + other.slot() +
                                                         "\n  partitions: {retention_days: 2}\n");
    Daemon daemon(configuration, {{"ASYNC_TRIGGERS_STREAM__ID", std::to_string(other.stream())}});
    ASSERT_TRUE(daemon.wait_for_err(std::string(kept) + " partition=" + old +
                                    " streams=" + std::to_string(site.stream()) + " "))
        << daemon.err();
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_TRUE(exists(old));
    receiver.answer_with(200);
    ASSERT_TRUE(waiting.wait_until_streaming()) << waiting.err();
    EXPECT_EQ(waiting.stop(), 0) << waiting.err();
    site.exec("SELECT pg_drop_replication_slot($1)", {other.slot()});
}

TEST_F(Retention, WarnsWhenHalfOfItIsOver) {
    site.write_in_the_past(2, 2);
    HttpReceiver receiver;
    receiver.answer_with(503);
    const auto sink = "  type: http\n  url: " + receiver.url() + "\n";
    {
        Daemon daemon(site.configure(sink));
        ASSERT_TRUE(wait_for_maintenance(daemon)) << daemon.err();
        ASSERT_TRUE(receiver.wait_for(1)) << daemon.err();
        EXPECT_EQ(daemon.stop(), 0);
        EXPECT_EQ(daemon.err().find(waits), std::string::npos) << daemon.err();
    }
    site.write_in_the_past(5, 2);
    Daemon daemon(site.configure(sink));
    ASSERT_TRUE(daemon.wait_for_err(waits)) << daemon.err();
    EXPECT_NE(daemon.err().find("the table grows, until they are delivered"), std::string::npos)
        << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
}

TEST_F(Retention, SaysWhatIsLostWhereItIsToldToDropUndeliveredEvents) {
    const auto old = site.make_past_day(10);
    site.write_in_the_past(10, 5);
    HttpReceiver receiver;
    receiver.answer_with(503);
    Daemon daemon(site.configure("  type: http\n  url: " + receiver.url() + "\n",
                                 "  partitions: {drop_undelivered: true}\n"));
    ASSERT_TRUE(
        daemon.wait_for_err("undelivered events past retention are lost with their partition"
                            " partition=" +
                            old))
        << daemon.err();
    EXPECT_FALSE(exists(old));
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
}

} // namespace
} // namespace pgat
