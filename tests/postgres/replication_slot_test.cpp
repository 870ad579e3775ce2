#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replication/slot.hpp"
#include "replication/slot_creation.hpp"
#include "replication/stream.hpp"
#include "support/cluster.hpp"
#include "support/event_database.hpp"
#include "support/failure.hpp"
#include "support/waiting.hpp"

namespace pgat::replication {
namespace {

using support::Cluster;
using support::EventDatabase;
using support::eventually;
using support::failure_of;

class Slots : public testing::Test {
  protected:
    ~Slots() override {
        eventually([&] { return !slot() || !slot()->active; });
        drop_slot(sql(), name);
    }

    postgres::Connection &sql() { return database.sql(); }
    std::optional<Slot> slot() { return find_slot(sql(), name); }
    postgres::Connection replication(const Wakeup *interrupt = nullptr) const {
        return postgres::Connection::open(replication_session(database.session(interrupt)));
    }
    bool sees(const std::string &snapshot, std::string_view xid) {
        return sql()
            .exec("SELECT pg_visible_in_snapshot($1::xid8, $2::pg_snapshot)", {xid, snapshot})
            .boolean(0, 0);
    }
    std::string commit_one() {
        return std::string(sql().exec("SELECT pg_current_xact_id()").text(0, 0));
    }

    EventDatabase database{Cluster::shared()};
    const std::string name = "slot_of_" + database.name();
};

TEST_F(Slots, AreFoundAfterTheyAreCreatedAndNotAfterTheyAreDropped) {
    EXPECT_FALSE(slot().has_value());
    auto session = replication();
    const auto created = create_slot(session, name);
    EXPECT_TRUE(created.consistent_point.valid());
    EXPECT_EQ(created.failover, session.server_version() >= 170000);

    const auto found = slot();
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->slot_type, "logical");
    EXPECT_EQ(found->plugin, "pgoutput");
    EXPECT_EQ(found->database, database.name());
    EXPECT_FALSE(found->temporary);
    EXPECT_FALSE(found->active);
    EXPECT_FALSE(found->active_pid.has_value());
    EXPECT_EQ(found->confirmed_flush, created.consistent_point);
    EXPECT_TRUE(found->restart.valid());
    EXPECT_EQ(found->wal_status, "reserved");
    EXPECT_FALSE(found->safe_wal_size.has_value());
    EXPECT_FALSE(found->invalidated);
    EXPECT_FALSE(found->two_phase);
    EXPECT_EQ(found->failover, created.failover);
    EXPECT_FALSE(found->being_created());
    EXPECT_NO_THROW(require_ours(*found, database.name()));

    drop_slot(sql(), name);
    EXPECT_FALSE(slot().has_value());
    drop_slot(sql(), name);
}

TEST_F(Slots, ExportASnapshotThatSeesWhatCommittedBeforeAndNothingElse) {
    const auto before = commit_one();
    auto session = replication();
    const auto created = create_slot(session, name);
    const auto after = commit_one();
    const auto snapshot = read_exported_snapshot(sql(), created.snapshot_name);
    EXPECT_TRUE(sees(snapshot, before)) << snapshot;
    EXPECT_FALSE(sees(snapshot, after)) << snapshot;
    EXPECT_NO_THROW(commit_one()) << "the session is out of the snapshot's transaction";
}

// The server's decoder counts commits; where the last transactions before the slot were rolled back, the
// snapshot that it exports is one with an xmin beyond its xmax, which pg_snapshot does not read.
TEST_F(Slots, ExportASnapshotThatCanBeReadThoughTheLastTransactionsWereRolledBack) {
    auto first = database.connect();
    auto second = database.connect();
    auto third = database.connect();
    const auto waits_for = [&](const postgres::Connection &writer) {
        return eventually([&] {
            const auto blockers = creation_waits_for(sql(), name);
            return !blockers.empty() && blockers[0].pid == writer.backend_pid();
        });
    };
    const auto before = commit_one();
    first.exec("BEGIN; SELECT pg_current_xact_id()");
    auto session = replication();
    CreatedSlot created;
    std::thread creation([&] { EXPECT_NO_THROW(created = create_slot(session, name)); });
    EXPECT_TRUE(waits_for(first));
    second.exec("BEGIN; SELECT pg_current_xact_id()");
    first.exec("ROLLBACK");
    EXPECT_TRUE(waits_for(second));
    for (int i = 0; i < 10; ++i)
        sql().exec("BEGIN; SELECT pg_current_xact_id(); ROLLBACK");
    const auto open = third.exec("BEGIN; SELECT pg_current_xact_id()");
    second.exec("ROLLBACK");
    creation.join();
    const auto after = commit_one();
    const auto raw = [&] {
        sql().exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '" +
                   created.snapshot_name + "'");
        const auto text = sql().exec("SELECT pg_current_snapshot()");
        sql().exec("ROLLBACK");
        return std::string(text.text(0, 0));
    }();
    EXPECT_EQ(failure_of([&] { sees(raw, before); }).sqlstate(), "22P02")
        << raw << ": this test shows nothing";
    const auto snapshot = read_exported_snapshot(sql(), created.snapshot_name);
    EXPECT_TRUE(sees(snapshot, before)) << snapshot;
    EXPECT_FALSE(sees(snapshot, open.text(0, 0))) << snapshot;
    EXPECT_FALSE(sees(snapshot, after)) << snapshot;
}

TEST_F(Slots, AreNotCreatedTwice) {
    auto session = replication();
    create_slot(session, name);
    const auto error = failure_of([&] { create_slot(session, name); });
    EXPECT_EQ(error.sqlstate(), "42710");
    EXPECT_EQ(error.remedy(), Remedy::recover);
    EXPECT_TRUE(session.usable());
}

TEST_F(Slots, ThatAreNotOursAreRefusedAndNeverDropped) {
    const auto refused = [&](const std::string &create, Remedy remedy, const std::string &hint) {
        SCOPED_TRACE(create);
        sql().exec(create);
        const auto error = failure_of([&] { require_ours(*slot(), database.name()); });
        EXPECT_EQ(error.remedy(), remedy);
        EXPECT_NE(error.hint().find(hint), std::string::npos) << error.hint();
        EXPECT_TRUE(slot().has_value());
        drop_slot(sql(), name);
    };
    const auto drop = "SELECT pg_drop_replication_slot('" + name + "')";
    refused("SELECT pg_create_physical_replication_slot('" + name + "')", Remedy::stop, drop);
    refused("SELECT pg_create_logical_replication_slot('" + name + "', 'test_decoding')",
            Remedy::stop, drop);
    refused("SELECT pg_create_logical_replication_slot('" + name + "', 'pgoutput', false, true)",
            Remedy::stop, drop);
    refused("SELECT pg_create_logical_replication_slot('" + name + "', 'pgoutput', true)",
            Remedy::retry, "stream.slot_name");

    auto elsewhere = Cluster::shared().connect("postgres");
    elsewhere.exec("SELECT pg_create_logical_replication_slot('" + name + "', 'pgoutput')");
    const auto error = failure_of([&] { require_ours(*slot(), database.name()); });
    EXPECT_EQ(error.remedy(), Remedy::stop);
    EXPECT_NE(std::string(error.what()).find("database postgres"), std::string::npos);
    drop_slot(elsewhere, name);
}

TEST_F(Slots, SayWhichTransactionTheirCreationWaitsFor) {
    EXPECT_TRUE(creation_waits_for(sql(), name).empty());
    auto writer = database.connect();
    writer.exec("SET application_name = 'a slow writer'; BEGIN; SELECT pg_current_xact_id()");
    auto session = replication();
    std::thread creation([&] { EXPECT_NO_THROW(create_slot(session, name)); });

    std::vector<Blocker> blockers;
    EXPECT_TRUE(eventually([&] {
        blockers = creation_waits_for(sql(), name);
        return !blockers.empty();
    }));
    ASSERT_EQ(blockers.size(), 1U);
    EXPECT_EQ(blockers[0].pid, writer.backend_pid());
    EXPECT_EQ(blockers[0].application, "a slow writer");
    EXPECT_EQ(blockers[0].user, "postgres");
    EXPECT_EQ(blockers[0].database, database.name());
    EXPECT_TRUE(blockers[0].seconds_open.has_value());
    EXPECT_NE(blockers[0].text().find("a slow writer"), std::string::npos) << blockers[0].text();
    EXPECT_TRUE(slot().has_value() && slot()->being_created() && slot()->active);

    writer.exec("COMMIT");
    creation.join();
    EXPECT_FALSE(slot()->being_created());
}

TEST_F(Slots, NameThePreparedTransactionAndGiveUpWhenInterrupted) {
    auto writer = database.connect();
    writer.exec("BEGIN; SELECT pg_current_xact_id(); PREPARE TRANSACTION 'left over'");
    Wakeup stop;
    auto session = replication(&stop);
    Remedy remedy = Remedy::retry;
    std::thread creation(
        [&] { remedy = failure_of([&] { create_slot(session, name); }).remedy(); });
    std::vector<Blocker> blockers;
    EXPECT_TRUE(eventually([&] {
        blockers = creation_waits_for(sql(), name);
        return !blockers.empty();
    }));
    EXPECT_TRUE(!blockers.empty() &&
                blockers[0].text().find("ROLLBACK PREPARED 'left over'") != std::string::npos);
    stop.ring();
    creation.join();
    EXPECT_EQ(remedy, Remedy::interrupted);
    EXPECT_TRUE(eventually([&] { return !slot().has_value(); }))
        << "the server still waits, though the transaction is still open";
    sql().exec("ROLLBACK PREPARED 'left over'");
}

TEST_F(Slots, HeldByTheDeadAreFreed) {
    sql().exec("BEGIN; SELECT pg_current_xact_id(); PREPARE TRANSACTION 'in the way'");
    auto options = database.session();
    options.keywords.emplace_back("application_name", "daemon_" + database.name());
    auto daemons_sql = postgres::Connection::open(options);
    const pid_t daemon = ::fork();
    if (daemon == 0) {
        try {
            auto session = postgres::Connection::open(replication_session(options));
            create_slot(session, name);
        } catch (...) {
        }
        ::_exit(0);
    }
    EXPECT_TRUE(eventually([&] { return !creation_waits_for(sql(), name).empty(); }));
    EXPECT_FALSE(cancel_orphaned_creation(sql(), name)) << "its daemon has a session";
    ::kill(daemon, SIGKILL);
    ::waitpid(daemon, nullptr, 0);
    EXPECT_FALSE(cancel_orphaned_creation(sql(), name)) << "its daemon still has a session";
    { const auto ended = std::move(daemons_sql); }
    EXPECT_TRUE(eventually([&] { return cancel_orphaned_creation(sql(), name); }));
    EXPECT_TRUE(eventually([&] { return !slot().has_value(); }));
    sql().exec("ROLLBACK PREPARED 'in the way'");
}

TEST_F(Slots, AskForReplicationWhereTheRoleLacksIt) {
    sql().exec("DROP ROLE IF EXISTS without_replication; CREATE ROLE without_replication LOGIN");
    auto options = database.session();
    options.keywords.emplace_back("user", "without_replication");
    const auto error =
        failure_of([&] { postgres::Connection::open(replication_session(options)); });
    EXPECT_EQ(error.sqlstate(), "42501") << error.text();
    auto session = postgres::Connection::open(options);
    EXPECT_EQ(failure_of([&] {
                  sql().exec("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", {name});
                  drop_slot(session, name);
              }).remedy(),
              Remedy::stop);
}

TEST(SlotsOfABusyServer, AreSeenInvalidated) {
    Cluster::Options options;
    options.settings = {
        {"max_slot_wal_keep_size", "16MB"}, {"min_wal_size", "32MB"}, {"max_wal_size", "32MB"}};
    Cluster cluster(options);
    EventDatabase database(cluster);
    auto session = postgres::Connection::open(replication_session(database.session()));
    create_slot(session, "left_behind");
    ASSERT_TRUE(find_slot(database.sql(), "left_behind")->safe_wal_size.has_value());
    ASSERT_TRUE(eventually([&] {
        database.sql().exec("SELECT pg_logical_emit_message(false, 'x', 'x')");
        database.sql().exec("SELECT pg_switch_wal()");
        database.sql().exec("CHECKPOINT");
        return find_slot(database.sql(), "left_behind")->invalidated;
    }));
    const auto slot = find_slot(database.sql(), "left_behind");
    EXPECT_EQ(slot->wal_status, "lost");
    EXPECT_EQ(slot->invalidation_reason, Cluster::major_version() >= 17 ? "wal_removed" : "lost");
    EXPECT_FALSE(slot->being_created());
    EXPECT_NO_THROW(require_ours(*slot, database.name()));
    const auto error = failure_of([&] {
        ReplicationStream(std::move(session), {"left_behind", "any", Lsn()}, nullptr);
    });
    EXPECT_EQ(error.remedy(), Remedy::recover) << error.what();
    EXPECT_EQ(error.sqlstate(), "55000") << error.what();
    drop_slot(database.sql(), "left_behind");
}

TEST(SlotsOfABusyServer, SayThatThereIsNoRoom) {
    Cluster::Options options;
    options.settings = {{"max_replication_slots", "1"}};
    Cluster cluster(options);
    EventDatabase database(cluster);
    auto session = postgres::Connection::open(replication_session(database.session()));
    create_slot(session, "first");
    const auto error = failure_of([&] { create_slot(session, "second"); });
    EXPECT_EQ(error.sqlstate(), "53400");
    EXPECT_EQ(error.remedy(), Remedy::retry);
    EXPECT_NE(error.hint().find("max_replication_slots"), std::string::npos);
}

TEST(SlotsOfABusyServer, AskForWalLevelLogical) {
    Cluster::Options options;
    options.settings = {{"wal_level", "replica"}};
    Cluster cluster(options);
    EventDatabase database(cluster);
    auto session = postgres::Connection::open(replication_session(database.session()));
    const auto error = failure_of([&] { create_slot(session, "first"); });
    EXPECT_EQ(error.remedy(), Remedy::stop) << error.text();
    EXPECT_NE(error.hint().find("wal_level"), std::string::npos);
}

} // namespace
} // namespace pgat::replication
