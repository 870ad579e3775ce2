// Creating a slot waits for every transaction open in the cluster. The server does not notice that the
// daemon which asked for it has died meanwhile: its walsender waits on and holds the slot's name.
#include <algorithm>
#include <csignal>

#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using support::Cluster;
using support::Daemon;
using support::eventually;
using support::numbers;
using support::Site;

TEST(SlotCreation, OfADaemonThatDiedIsEndedByTheNextWhichTakesTheStream) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    auto writer = site.connect();
    writer.exec("BEGIN; INSERT INTO items VALUES (1)");
    // The process that waits for the writer, holding the slot; 0: none.
    const auto creator = [&] {
        const auto found = site.exec("SELECT slot.active_pid FROM pg_replication_slots slot"
                                     " JOIN pg_locks waiting ON waiting.pid = slot.active_pid"
                                     " WHERE slot.slot_name = $1 AND NOT waiting.granted",
                                     {site.slot()});
        return found.empty() ? 0 : found.integer(0, 0);
    };
    const auto configuration = site.configure(support::printing_sink);
    std::int64_t orphan = 0;
    {
        Daemon daemon(configuration);
        ASSERT_TRUE(eventually([&] { return (orphan = creator()) != 0; })) << daemon.err();
        daemon.signal(SIGKILL);
        daemon.wait();
    }
    site.insert_items(2, 50);
    ASSERT_EQ(creator(), orphan) << "the server noticed by itself: this test shows nothing";

    Daemon next(configuration);
    // The writer is still at work: they come from the table.
    ASSERT_TRUE(next.wait_for_out_lines(49)) << next.err();
    ASSERT_TRUE(eventually([&] { return creator() != 0; })) << next.err();
    EXPECT_NE(creator(), orphan);
    writer.exec("COMMIT");
    ASSERT_TRUE(next.wait_until_streaming()) << next.err();
    site.insert_items(51, 60);
    ASSERT_TRUE(next.wait_for_out_lines(60)) << next.err();
    EXPECT_EQ(next.stop(), 0) << next.err();
    auto ids = support::item_ids(next.out());
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, numbers(1, 60));
}

} // namespace
} // namespace pgat
