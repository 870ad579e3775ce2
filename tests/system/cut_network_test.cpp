// A network that swallows packets, at the worst moments: the server learns of it late, and keeps what the
// session that was cut off had locked.
#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/proxy.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::Daemon;
using support::eventually;
using support::numbers;
using support::printing_sink;
using support::Proxy;
using support::Site;

// Stops the daemon's DDL of one kind when it has been done and not yet committed: `open` lets it go on. Waits
// however short the daemon's lock_timeout is.
class Gate {
  public:
    Gate(Site &site, const std::string &command) : site_(site), holder_(site.connect()) {
        holder_.exec("SELECT pg_advisory_lock(1)");
        site.exec("CREATE FUNCTION public.gate() RETURNS event_trigger LANGUAGE plpgsql"
                  " SET lock_timeout = 0"
                  " AS $$ BEGIN PERFORM pg_advisory_lock_shared(1); END $$");
        site.exec("CREATE EVENT TRIGGER gate ON ddl_command_end WHEN TAG IN ('" + command +
                  "') EXECUTE FUNCTION public.gate()");
    }

    // Somebody stands before it.
    bool wait_for_guest() {
        return eventually([this] {
            return !site_
                        .exec("SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database"
                              " WHERE locktype = 'advisory' AND NOT granted"
                              " AND datname = current_database() AND objid = 1")
                        .empty();
        });
    }
    void open() {
        site_.exec("ALTER EVENT TRIGGER gate DISABLE");
        holder_.exec("SELECT pg_advisory_unlock(1)");
    }

  private:
    Site &site_;
    postgres::Connection holder_;
};

TEST(CutNetwork, IsNoticedAndSurvived) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    Proxy proxy(site.cluster().port());
    Daemon daemon(site.configure(printing_sink, "", proxy.port()));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 100);
    ASSERT_TRUE(daemon.wait_for_out_lines(100)) << daemon.err();
    proxy.cut();
    site.insert_items(101, 200);
    // The server notices by itself; only then do we let the daemon through again.
    ASSERT_TRUE(eventually(
        [&] {
            return site.exec("SELECT active FROM pg_replication_slots WHERE slot_name = $1",
                             {site.slot()})
                       .text(0, 0) == "f";
        },
        20s));
    proxy.mend();
    ASSERT_TRUE(daemon.wait_for_out_lines(200, 60s)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(support::item_ids(daemon.out()), numbers(1, 200));
}

TEST(CutNetwork, InTheMiddleOfMakingAPartitionHoldsUpNobody) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    // Today's is made while writers wait for it.
    site.exec(
        "DO $$ DECLARE name text; BEGIN FOR name IN SELECT inhrelid::regclass FROM pg_inherits"
        " WHERE inhparent = 'async_triggers.events'::regclass"
        " AND inhrelid <> 'async_triggers.events_default'::regclass"
        " LOOP EXECUTE 'DROP TABLE ' || name; END LOOP; END $$");
    Gate gate(site, "ALTER TABLE");
    Proxy proxy(site.cluster().port());
    Daemon daemon(site.configure(printing_sink, "", proxy.port()));
    ASSERT_TRUE(gate.wait_for_guest()) << daemon.err();
    proxy.cut();
    gate.open();
    // What was locked is free again, though the server does not know of the cut yet.
    auto writer = site.connect();
    writer.exec("SET lock_timeout = '7s'");
    ASSERT_NO_THROW(writer.exec("INSERT INTO items SELECT i FROM generate_series(1, 100) i"));
    proxy.mend();
    ASSERT_TRUE(daemon.wait_for_out_lines(100, 60s)) << daemon.err();
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(support::item_ids(daemon.out()), numbers(1, 100));
}

TEST(CutNetwork, InTheMiddleOfATransactionHoldsUpTheNextSessionForSecondsOnly) {
    Site site(Cluster::shared());
    site.subscribe_to_items();
    Gate gate(site, "CREATE PUBLICATION");
    Proxy proxy(site.cluster().port());
    Daemon daemon(site.configure(printing_sink, "", proxy.port()));
    ASSERT_TRUE(gate.wait_for_guest()) << daemon.err();
    proxy.cut();
    gate.open();
    const auto idle_in_transaction = [&] {
        return !site.exec("SELECT FROM pg_stat_activity WHERE usename = $1"
                          " AND state = 'idle in transaction'",
                          {site.role()})
                    .empty();
    };
    ASSERT_TRUE(eventually(idle_in_transaction)) << "this test shows nothing";
    EXPECT_TRUE(eventually([&] { return !idle_in_transaction(); }, 10s));
    proxy.mend();
    proxy.reset(); // or the daemon would wait half a minute for its answer
    site.insert_items(1, 100);
    ASSERT_TRUE(daemon.wait_for_out_lines(100, 60s)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(support::item_ids(daemon.out()), numbers(1, 100));
}

} // namespace
} // namespace pgat
