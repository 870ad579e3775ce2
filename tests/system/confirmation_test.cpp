// The server may forget the WAL only up to where the row of the stream says; the row says it first.
#include <csignal>

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
using support::numbers;
using support::Site;

TEST(Confirmation, OfAKeepaliveNeverPassesWhatTheRowSaysAndLosesNothing) {
    // The server asks after half of it; our own session sets six seconds.
    Cluster cluster({.settings = {{"wal_sender_timeout", "2s"}}, .hba = {}});
    Site site(cluster);
    site.subscribe_to_items();
    HttpReceiver receiver;
    const auto sink = "  type: http\n  url: " + receiver.url() + "\n";
    auto busy = cluster.connect(cluster.create_database());
    busy.exec("CREATE TABLE noise (x text)");
    {
        Daemon daemon(site.configure(sink));
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        // Where its creation put it: nobody's confirmation.
        const auto created = site.exec("SELECT confirmed_flush_lsn FROM pg_replication_slots");
        receiver.answer_with(503);
        site.insert_items(1, 10);
        ASSERT_TRUE(receiver.wait_for(1)) << daemon.err();
        const auto answers = [&] {
            return std::string(site.exec("SELECT reply_time FROM pg_stat_replication").text(0, 0));
        };
        std::string last;
        int heard = 0;
        std::int64_t item = 10;
        // Long enough for the server to ask twice, while WAL of a neighbour and of our own goes by.
        ASSERT_TRUE(eventually([&] {
            busy.exec("INSERT INTO noise VALUES (repeat('x', 1000))");
            site.insert_items(item + 1, item + 1);
            ++item;
            // The slot first: what it says must have been in the row before.
            const auto confirmed =
                site.exec("SELECT greatest(slot.confirmed_flush_lsn, sender.flush_lsn) FROM"
                          " pg_replication_slots slot JOIN pg_stat_replication sender ON"
                          " sender.pid = slot.active_pid");
            const auto row = site.exec("SELECT coalesce(confirmed_lsn, '0/0') FROM"
                                       " async_triggers.streams");
            EXPECT_TRUE(confirmed.empty() ||
                        confirmed.lsn(0, 0) <= std::max(row.lsn(0, 0), created.lsn(0, 0)))
                << confirmed.text(0, 0) << " was confirmed, the row has " << row.text(0, 0);
            const std::string answer(answers());
            if (answer != last) ++heard;
            last = answer;
            return heard > 8 || testing::Test::HasFailure();
        })) << daemon.err();
        daemon.signal(SIGKILL);
        daemon.wait();
        receiver.forget();
        receiver.answer_with(200);
        Daemon next(site.configure(sink));
        ASSERT_TRUE(next.wait_until_streaming()) << next.err();
        ASSERT_TRUE(receiver.wait_for(static_cast<std::size_t>(item))) << next.err();
        EXPECT_EQ(next.stop(), 0) << next.err();
        std::string bodies;
        for (const auto &request : receiver.requests())
            bodies += request.body + "\n";
        EXPECT_EQ(support::item_ids(bodies), numbers(1, item));
    }
}

} // namespace
} // namespace pgat
