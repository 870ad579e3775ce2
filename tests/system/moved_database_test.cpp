// The database is found on another server, or as it was some time ago: carried there byte by byte, its cursor
// comes along; out of a dump, it does not, and the daemon says how to go on.
#include <filesystem>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>

#include "new_identity.hpp"
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
using support::Proxy;
using support::Site;
using testing::delivers_up_to;
using testing::joined;

// A daemon's whole life, up to the delivery of one item. What it printed.
std::vector<std::int64_t> deliver_up_to(Site &site, std::int64_t last, std::string *log = nullptr) {
    Daemon daemon(site.configure(printing_sink));
    EXPECT_TRUE(delivers_up_to(daemon, last)) << daemon.err();
    EXPECT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    if (log != nullptr) *log = daemon.err();
    return support::item_ids(daemon.out());
}

TEST(MovedDatabase, ThatWasUpgradedByPgUpgradeBringsItsCursorAlong) {
    Cluster cluster;
    Site site(cluster);
    site.subscribe_to_items();
    site.insert_items(1, 100);
    EXPECT_EQ(deliver_up_to(site, 100), numbers(1, 100));
    site.insert_items(101, 200);
    Cluster upgraded(cluster, Cluster::Copy::backup, {}, testing::give_new_identity);
    site.move_to(upgraded);
    site.insert_items(201, 300);
    std::string log;
    EXPECT_EQ(deliver_up_to(site, 300, &log), numbers(101, 300));
    EXPECT_EQ(support::occurrences(log, "the database was copied here from another server"), 1U)
        << log;
    site.insert_items(301, 400);
    EXPECT_EQ(deliver_up_to(site, 400, &log), numbers(301, 400));
    EXPECT_EQ(support::occurrences(log, "copied here"), 0U) << log;
}

// Both what was delivered since the backup and what is written after it have the same xids and ids.
TEST(MovedDatabase, OutOfABaseBackupGoesOnFromWhatItSays) {
    for (const bool restarted : {true, false}) {
        Cluster cluster;
        Site site(cluster);
        site.subscribe_to_items();
        Proxy name(cluster.port());
        const auto configuration = site.configure(printing_sink, "", name.port());
        std::optional<Daemon> daemon(configuration);
        ASSERT_TRUE(daemon->wait_until_streaming()) << daemon->err();
        site.insert_items(1, 100);
        ASSERT_TRUE(delivers_up_to(*daemon, 100)) << daemon->err();
        Cluster backup(cluster, Cluster::Copy::backup);
        for (int i = 101; i < 301; i += 10)
            site.insert_items(i, i + 9);
        ASSERT_TRUE(delivers_up_to(*daemon, 300)) << daemon->err();
        ASSERT_TRUE(eventually([&] {
            return site.exec("SELECT bool_and(pg_visible_in_snapshot(xid, cursor_snapshot))"
                             " FROM async_triggers.streams, async_triggers.events")
                       .text(0, 0) == "t";
        })) << daemon->err();
        const auto newest =
            site.exec("SELECT max(xid::text::bigint) FROM async_triggers.events").integer(0, 0);
        std::vector<std::int64_t> delivered;
        if (restarted) {
            EXPECT_EQ(daemon->stop(), 0) << daemon->err();
            delivered = support::item_ids(daemon->out());
        }
        cluster.stop();
        site.move_to(backup);
        for (int i = 301; i < 701; i += 10)
            site.insert_items(i, i + 9);
        const auto oldest = site.exec("SELECT min(xid::text::bigint) FROM async_triggers.events"
                                      " WHERE (payload -> 'new' ->> 'id')::bigint > 300");
        ASSERT_LT(oldest.integer(0, 0), newest) << "no xid is used again";
        name.lead_to({backup.port()});
        if (restarted) daemon.emplace(configuration);
        ASSERT_TRUE(delivers_up_to(*daemon, 700)) << daemon->err();
        EXPECT_EQ(daemon->stop(), 0) << daemon->err();
        EXPECT_EQ(once_each(joined(delivered, support::item_ids(daemon->out()))), numbers(1, 700));
    }
}

class RestoredDump : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!std::filesystem::exists(Cluster::bin() / "pg_dump"))
            GTEST_SKIP() << "this server came without pg_dump";
        site.subscribe_to_items();
        site.insert_items(1, 100);
        EXPECT_EQ(deliver_up_to(site, 100), numbers(1, 100));
        // Not delivered when the dump is taken.
        site.insert_items(101, 150);
        const auto dump =
            support::run({Cluster::client("pg_dump"), "-h", "127.0.0.1", "-p",
                          std::to_string(source.port()), "-U", "postgres", site.database()});
        ASSERT_EQ(dump.status, 0) << dump.err;
        std::ofstream(source.folder() / "dump.sql") << dump.out;
    }

    // Into a database of the same name, which is not there; then life goes on in it.
    void restore_on(Cluster &target) {
        auto sql = target.connect("postgres");
        if (&target != &source) sql.exec("CREATE ROLE " + site.role() + " LOGIN REPLICATION");
        sql.exec("CREATE DATABASE " + site.database());
        sql.exec("GRANT CREATE ON DATABASE " + site.database() + " TO " + site.role());
        site.move_to(target);
        ask_psql({"-f", source.folder() / "dump.sql"});
        site.insert_items(151, 200);
    }
    void ask_psql(const std::vector<std::string> &what) {
        std::vector<std::string> command{Cluster::client("psql"),
                                         "-qX",
                                         "-v",
                                         "ON_ERROR_STOP=1",
                                         "-h",
                                         "127.0.0.1",
                                         "-p",
                                         std::to_string(site.cluster().port()),
                                         "-U",
                                         "postgres",
                                         "-d",
                                         site.database()};
        command.insert(command.end(), what.begin(), what.end());
        const auto done = support::run(command);
        ASSERT_EQ(done.status, 0) << what.back() << done.err;
    }

    // The daemon stops with an error, each time, and changes nothing. Its hint.
    std::string refusal(const std::string &because) {
        const auto row = [&] {
            return std::string(
                site.exec("SELECT streams::text FROM async_triggers.streams").text(0, 0));
        };
        const auto before = row();
        std::string said;
        for (int start = 0; start < 2; ++start) {
            Daemon daemon(site.configure(printing_sink));
            EXPECT_EQ(daemon.wait(), 1) << daemon.err();
            daemon.wait_for_end_of_output();
            said = daemon.err();
            EXPECT_NE(said.find(because), std::string::npos) << said;
            EXPECT_EQ(daemon.out(), "");
        }
        const auto checked = site.run_program({"--config", site.configure(printing_sink), "check"});
        EXPECT_EQ(checked.status, 1) << checked.out;
        EXPECT_NE(checked.out.find("FAIL  stream: the row of stream"), std::string::npos)
            << checked.out;
        EXPECT_EQ(row(), before);
        EXPECT_TRUE(site.exec("SELECT FROM pg_replication_slots").empty());
        return said;
    }
    // What stands in the next quotes from `from` on, with psql, as the operator does.
    void run_what_it_says(const std::string &said, const std::string &from) {
        const auto begin = said.find(from);
        ASSERT_NE(begin, std::string::npos) << said;
        const auto statements = said.substr(begin, said.find_first_of("\"\\", begin) - begin);
        ask_psql({"-c", statements});
    }

    static constexpr auto from_elsewhere = "was restored from a dump of another server";
    static constexpr auto from_somewhere = "is not as this program wrote it";
    Cluster source;
    Site site{source};
};

TEST_F(RestoredDump, IsAdoptedWithEveryEventOfTheTableDeliveredAgain) {
    Cluster target(source, Cluster::Copy::backup, {}, testing::give_new_identity);
    auto sql = target.connect("postgres");
    sql.exec("DROP DATABASE " + site.database());
    sql.exec("DROP ROLE " + site.role());
    restore_on(target);
    run_what_it_says(refusal(from_elsewhere), "begin;");
    EXPECT_EQ(deliver_up_to(site, 200), numbers(1, 200));
    site.insert_items(201, 300);
    EXPECT_EQ(deliver_up_to(site, 300), numbers(201, 300));
}

TEST_F(RestoredDump, IsAdoptedWithWhatIsInTheTableCountedAsDelivered) {
    Cluster target;
    restore_on(target);
    // A clone has the identifier of its original, as all servers of these tests have.
    const auto said = refusal(from_somewhere);
    run_what_it_says(said, "begin;");
    run_what_it_says(said, "update async_triggers.streams set cursor_snapshot = pg_current");
    site.insert_items(201, 300);
    EXPECT_EQ(deliver_up_to(site, 300), numbers(201, 300));
}

TEST_F(RestoredDump, OnTheServerThatItWasTakenFromMayKeepItsCursor) {
    auto sql = source.connect("postgres");
    sql.exec("SELECT pg_drop_replication_slot($1)", {site.slot()});
    sql.exec("DROP DATABASE " + site.database());
    restore_on(source);
    run_what_it_says(refusal(from_somewhere), "update async_triggers.streams set written_by");
    EXPECT_EQ(deliver_up_to(site, 200), numbers(101, 200));
}

} // namespace
} // namespace pgat
