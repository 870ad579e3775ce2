// A standby becomes the primary: with the slot, without it, and without the last transactions, whose ids it
// then gives to others.
#include <optional>

#include <gtest/gtest.h>

#include "server_pair.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::Daemon;
using support::eventually;
using support::numbers;
using support::once_each;
using support::printing_sink;
using testing::delivers_up_to;
using testing::joined;
using testing::ServerPair;

TEST(Promotion, OfAStandbyWithoutTheSlotLosesNothing) {
    // From 17 on it would have the slot, were it told to.
    ServerPair servers;
    auto &site = servers.site;
    Daemon daemon(site.configure(printing_sink, "", servers.name.port()));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 100);
    ASSERT_TRUE(daemon.wait_for_out_lines(100)) << daemon.err();
    // On both servers, and not delivered.
    servers.name.cut();
    site.insert_items(101, 200);
    servers.catch_up();
    servers.primary.kill();
    servers.name.mend();
    servers.promote();
    site.insert_items(201, 300);
    ASSERT_TRUE(delivers_up_to(daemon, 300)) << daemon.err();
    ASSERT_TRUE(eventually([&] { return support::occurrences(daemon.err(), "streaming") == 2; }))
        << daemon.err();
    site.insert_items(301, 400);
    ASSERT_TRUE(delivers_up_to(daemon, 400)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(once_each(support::item_ids(daemon.out())), numbers(1, 400));
}

// The transactions that only the old primary had are delivered; the new one gives their xids and ids to
// others, which are not taken for them.
TEST(Promotion, OfAStandbyThatLagsTakesNothingNewForDelivered) {
    for (const bool restarted : {false, true}) {
        ServerPair servers;
        auto &site = servers.site;
        const auto configuration = site.configure(printing_sink, "", servers.name.port());
        std::vector<std::int64_t> delivered;
        std::optional<Daemon> daemon(configuration);
        ASSERT_TRUE(daemon->wait_until_streaming()) << daemon->err();
        site.insert_items(1, 100);
        ASSERT_TRUE(daemon->wait_for_out_lines(100)) << daemon->err();
        servers.catch_up();
        servers.standby.stop();
        for (int i = 101; i < 301; i += 10)
            site.insert_items(i, i + 9);
        ASSERT_TRUE(delivers_up_to(*daemon, 300)) << daemon->err();
        // The row has all of it, on the old primary.
        ASSERT_TRUE(eventually([&] {
            return site.exec("SELECT bool_and(pg_visible_in_snapshot(xid, cursor_snapshot))"
                             " FROM async_triggers.streams, async_triggers.events")
                       .text(0, 0) == "t";
        })) << daemon->err();
        const auto last = site.exec("SELECT max(xid::text::bigint), max(id)"
                                    " FROM async_triggers.events");
        if (restarted) {
            EXPECT_EQ(daemon->stop(), 0) << daemon->err();
            delivered = support::item_ids(daemon->out());
            daemon.reset();
        }
        servers.primary.kill();
        servers.standby.start();
        servers.promote();
        for (int i = 301; i < 501; i += 10)
            site.insert_items(i, i + 9);
        const auto first = site.exec("SELECT min(xid::text::bigint), min(id)"
                                     " FROM async_triggers.events"
                                     " WHERE (payload -> 'new' ->> 'id')::bigint > 300");
        ASSERT_LT(first.integer(0, 0), last.integer(0, 0)) << "no xid is used again";
        ASSERT_LT(first.integer(0, 1), last.integer(0, 1)) << "no id is used again";
        if (restarted) daemon.emplace(configuration);
        ASSERT_TRUE(delivers_up_to(*daemon, 500)) << daemon->err();
        EXPECT_EQ(daemon->stop(), 0) << daemon->err();
        EXPECT_EQ(once_each(joined(delivered, support::item_ids(daemon->out()))), numbers(1, 500));
    }
}

// The primary sends nothing that the standby does not have yet, and the standby keeps a copy of the slot.
struct FailoverSlot : testing::ServerPair {
    FailoverSlot()
        : ServerPair({{"synchronized_standby_slots", "of_the_standby"}},
                     {{"sync_replication_slots", "on"},
                      {"hot_standby_feedback", "on"},
                      {"synchronized_standby_slots", ""},
                      {"primary_slot_name", "of_the_standby"}}) {
        site.exec("SELECT pg_create_physical_replication_slot('of_the_standby')");
    }
    // Of an idle stream it might take a megabyte of WAL until its slot has moved on, and can be copied. Writes
    // items, and tells the last.
    std::int64_t synchronize(Daemon &daemon) {
        std::int64_t last = 0;
        const auto synchronized = [&] {
            ++last;
            site.insert_items(last, last);
            if (!delivers_up_to(daemon, last)) return true;
            site.exec("SELECT pg_log_standby_snapshot()");
            const auto copy = standby.connect("postgres")
                                  .exec("SELECT synced AND NOT temporary FROM pg_replication_slots "
                                        "WHERE slot_name = $1",
                                        {site.slot()});
            return !copy.empty() && copy.text(0, 0) == "t";
        };
        if (!eventually(synchronized, 120s))
            throw std::runtime_error("the slot is not synchronized: " + standby.log());
        return last;
    }
};

TEST(Promotion, GoesOnWithAFailoverSlotThatTheStandbyHas) {
    if (Cluster::major_version() < 17) GTEST_SKIP() << "slots are synchronized from 17 on";
    FailoverSlot servers;
    auto &site = servers.site;
    Daemon daemon(site.configure(printing_sink, "", servers.name.port()));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    const auto last = servers.synchronize(daemon);
    // On both servers, and not delivered.
    servers.name.cut();
    site.insert_items(last + 1, last + 100);
    servers.catch_up();
    servers.primary.kill();
    servers.name.mend();
    servers.promote();
    site.insert_items(last + 101, last + 200);
    ASSERT_TRUE(delivers_up_to(daemon, last + 200)) << daemon.err();
    ASSERT_TRUE(eventually([&] { return support::occurrences(daemon.err(), "streaming") == 2; }))
        << daemon.err();
    site.insert_items(last + 201, last + 300);
    ASSERT_TRUE(delivers_up_to(daemon, last + 300)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(once_each(support::item_ids(daemon.out())), numbers(1, last + 300));
    EXPECT_EQ(support::occurrences(daemon.err(), "slot created"), 1U)
        << "the synchronized slot was not used: " << daemon.err();
}

// The server warns of it with the SQLSTATE of a publication that is missing: that slot would be replaced.
TEST(Promotion, ThatIsPreparedForWaitsForAStandbyThatIsAwayAndCostsNoSlot) {
    if (Cluster::major_version() < 17) GTEST_SKIP() << "slots are synchronized from 17 on";
    FailoverSlot servers;
    auto &site = servers.site;
    Daemon daemon(site.configure(printing_sink, "", servers.name.port()));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    const auto last = servers.synchronize(daemon);
    servers.standby.stop();
    site.insert_items(last + 1, last + 100);
    ASSERT_TRUE(daemon.wait_for_err("the server holds events back until a standby has them"))
        << daemon.err();
    EXPECT_EQ(daemon.out_lines(), static_cast<std::size_t>(last))
        << "delivered before the standby had it";
    servers.standby.start();
    ASSERT_TRUE(delivers_up_to(daemon, last + 100)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(support::item_ids(daemon.out()), numbers(1, last + 100));
    EXPECT_EQ(support::occurrences(daemon.err(), "slot created"), 1U) << daemon.err();
}

} // namespace
} // namespace pgat
