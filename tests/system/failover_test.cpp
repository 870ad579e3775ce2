// While the sink is down: events wait in the table, the WAL is released, and all is delivered in order, once,
// when the sink is back.
#include <algorithm>
#include <csignal>

#include <gtest/gtest.h>

#include "system/outage_site.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::Daemon;
using support::eventually;
using support::numbers;
using support::occurrences;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t little_memory = SIZE_MAX; // the sanitizer's own is many times that
#else
constexpr std::size_t little_memory = 16U << 20;
#endif

TEST(Failover, TakesTheWayOfTheDescriptionFromTheFirstFailureBackToNormal) {
    OutageSite site;
    Daemon daemon(site.configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 999);
    ASSERT_TRUE(site.receiver.wait_for(999)) << daemon.err();
    // The queue fails, an event cannot be delivered; its id is saved.
    site.lose_sink(1000);
    EXPECT_EQ(site.row("failover_checkpoint_id"),
              site.exec("SELECT max(id)::text FROM async_triggers.events").text(0, 0));
    // New events are still written, and the stream is consumed.
    for (int i = 1001; i <= 1499; ++i)
        site.insert_items(i, i);
    const auto written = site.wal();
    site.insert_items(1500, 1500);
    EXPECT_TRUE(eventually([&] { return site.confirmed() >= written; })) << daemon.err();
    // The queue recovers; everything missed is replayed in order; normal again.
    site.give_sink_back();
    ASSERT_TRUE(site.receiver.wait_for(1500)) << daemon.err();
    EXPECT_EQ(site.row("failover_checkpoint_id"), "-");
    site.insert_items(1501, 1600);
    ASSERT_TRUE(site.receiver.wait_for(1600)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(site.items(), numbers(1, 1600));
}

TEST(Failover, SaysInTheRowWhatIsWrongSinceWhenHowManyWaitAndWhenTheNextAttemptIs) {
    OutageSite site;
    Daemon daemon(site.configuration("  batch: {max_size: 10}\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 5);
    ASSERT_TRUE(site.receiver.wait_for(5)) << daemon.err();
    const auto before = site.exec("SELECT clock_timestamp()::text");
    site.lose_sink(6);
    site.insert_items(7, 106);
    EXPECT_TRUE(eventually([&] { return site.row("failover_waiting") == "101"; }))
        << site.row("failover_waiting");
    EXPECT_NE(site.row("failover_reason").find("connect"), std::string::npos)
        << site.row("failover_reason");
    EXPECT_EQ(site.row("failover_since BETWEEN '" + std::string(before.text(0, 0)) +
                       "' AND clock_timestamp()"),
              "true");
    // Between two attempts the row may be a moment behind.
    EXPECT_TRUE(eventually([&] {
        return site.row("next_attempt_at BETWEEN clock_timestamp() - interval '2 s'"
                        " AND clock_timestamp() + interval '1 s'") == "true";
    }));
    EXPECT_EQ(occurrences(daemon.err(), "ERROR delivery: the sink is down"), 1U) << daemon.err();
    // Five attempts a second, and more.
    EXPECT_LE(occurrences(daemon.err(), "the sink is still down"), 3U) << daemon.err();
    site.give_sink_back();
    EXPECT_EQ(site.row("failover_since") + site.row("failover_reason") +
                  site.row("failover_waiting") + site.row("next_attempt_at"),
              "----");
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_EQ(site.items(), numbers(1, 106));
}

TEST(Failover, TriesAgainByItselfAtTheTimeTheSinkAskedForThoughNothingHappens) {
    OutageSite site;
    Daemon daemon(site.configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.receiver.answer_with([](const support::HttpRequest &) {
        return support::HttpAnswer{503, {}, {{"Retry-After", "2"}}};
    });
    site.insert_items(1, 1);
    ASSERT_TRUE(daemon.wait_for_err("the sink is down")) << daemon.err();
    const auto asked = site.receiver.requests().size();
    const auto began = std::chrono::steady_clock::now();
    site.receiver.answer_with(200);
    ASSERT_TRUE(eventually([&] { return site.receiver.requests().size() > asked; }))
        << daemon.err();
    EXPECT_GE(std::chrono::steady_clock::now() - began, 1500ms) << daemon.err();
    ASSERT_TRUE(eventually([&] { return site.status() == "streaming"; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST(Failover, AgainAndAgainOvertakesNothing) {
    OutageSite site;
    Daemon daemon(site.configuration("  batch: {max_size: 7}\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    std::int64_t written = 0;
    for (int outage = 0; outage < 4; ++outage) {
        site.insert_items(written + 1, written + 50);
        written += 50;
        // Down before what was written is delivered, now and then; up while more is written.
        if (outage % 2 == 0) {
            ASSERT_TRUE(site.receiver.wait_for(static_cast<std::size_t>(written))) << daemon.err();
        }
        site.lose_sink(++written);
        site.insert_items(written + 1, written + 100);
        written += 100;
        site.receiver.start();
        site.insert_items(written + 1, written + 20);
        written += 20;
    }
    ASSERT_TRUE(site.receiver.wait_for(static_cast<std::size_t>(written))) << daemon.err();
    ASSERT_TRUE(eventually([&] { return site.status() == "streaming"; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(site.items(), numbers(1, written));
}

TEST(Failover, LosesNoTransactionThatTookItsIdsBeforeTheOutageAndCommitsInIt) {
    OutageSite site;
    Daemon daemon(site.configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    auto late = site.connect();
    late.exec("BEGIN; INSERT INTO items VALUES (1); SET CONSTRAINTS ALL IMMEDIATE; PREPARE "
              "TRANSACTION 'late'");
    site.insert_items(2, 50);
    ASSERT_TRUE(site.receiver.wait_for(49)) << daemon.err();
    site.lose_sink(51);
    site.insert_items(52, 100);
    late.exec("COMMIT PREPARED 'late'");
    // The lowest undelivered event is one that nobody knew of when the outage began.
    EXPECT_TRUE(eventually([&] {
        return site.row("failover_checkpoint_id = (SELECT min(id) FROM async_triggers.events"
                        " WHERE stream_id = " +
                        std::to_string(site.stream()) + ")") == "true";
    }));
    site.give_sink_back();
    ASSERT_TRUE(site.receiver.wait_for(100)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    auto items = site.items();
    std::sort(items.begin(), items.end());
    EXPECT_EQ(items, numbers(1, 100));
}

TEST(Failover, LosesNoTransactionThatCommitsOnlyAfterItsEnd) {
    OutageSite site;
    Daemon daemon(site.configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.lose_sink(1);
    auto late = site.connect();
    late.exec("BEGIN; INSERT INTO items VALUES (2); SET CONSTRAINTS ALL IMMEDIATE");
    site.insert_items(3, 50);
    site.give_sink_back();
    ASSERT_TRUE(site.receiver.wait_for(49)) << daemon.err();
    late.exec("COMMIT");
    ASSERT_TRUE(site.receiver.wait_for(50)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    auto expected = numbers(3, 50);
    expected.insert(expected.begin(), 1);
    expected.push_back(2);
    EXPECT_EQ(site.items(), expected);
}

TEST(Failover, EndsOnceWhereNothingIsLeftToBeDelivered) {
    OutageSite site;
    Daemon daemon(site.configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.lose_sink(1);
    site.exec("DELETE FROM async_triggers.events WHERE stream_id = $1", {site.stream()});
    site.give_sink_back();
    // The stream goes on without an event of ours: no call has succeeded yet.
    std::int64_t written = 0;
    EXPECT_FALSE(eventually(
        [&] {
            site.exec("SELECT pg_logical_emit_message(true, 'other', '" +
                      std::to_string(++written) + "')");
            return occurrences(daemon.err(), "daemon: streaming") > 2;
        },
        2s))
        << daemon.err();
    site.insert_items(2, 2);
    EXPECT_TRUE(site.receiver.wait_for(1)) << daemon.err();
    EXPECT_EQ(site.status(), "streaming");
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(site.items(), numbers(2, 2));
}

TEST(Failover, LetsAHugeTransactionPassInLittleMemory) {
    OutageSite site;
    Daemon daemon(site.configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.lose_sink(1);
    const auto before = daemon.resident();
    site.insert_items(2, 200'000);
    const auto written = site.wal();
    site.insert_items(200'001, 200'001);
    ASSERT_TRUE(eventually([&] { return site.confirmed() >= written; }, 60s)) << daemon.err();
    EXPECT_LT(daemon.peak_resident() - before, little_memory);
    EXPECT_EQ(daemon.stop(), 0);
}

TEST(Failover, IsWhatARejectedEventLeadsToIfItIsToBlockTheStream) {
    OutageSite site;
    Daemon daemon(site.configuration("  on_rejected: block\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    const auto answer_seven_with = [&](int status) {
        site.receiver.answer_with([status](const support::HttpRequest &request) {
            const bool seven = request.body.find("\"id\": 7}") != std::string::npos;
            return support::HttpAnswer{seven ? status : 200, {}, {}};
        });
    };
    answer_seven_with(422);
    for (int i = 1; i <= 20; ++i)
        site.insert_items(i, i);
    ASSERT_TRUE(eventually([&] { return site.status() == "failover"; })) << daemon.err();
    const auto written = site.wal();
    site.insert_items(21, 21);
    EXPECT_TRUE(eventually([&] { return site.confirmed() >= written; })) << daemon.err();
    EXPECT_NE(site.row("failover_reason").find("422"), std::string::npos);
    answer_seven_with(200);
    ASSERT_TRUE(eventually([&] { return site.status() == "streaming"; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    auto items = site.items();
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
    EXPECT_EQ(items, numbers(1, 21));
    EXPECT_EQ(site.exec("SELECT count(*) FROM async_triggers.dead_letters WHERE stream_id = $1",
                        {site.stream()})
                  .integer(0, 0),
              0);
}

} // namespace
} // namespace pgat
