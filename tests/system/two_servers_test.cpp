// In the middle of a promotion one name leads to two servers. What one of them sees is never paired with the
// WAL of the other: it is refused until both sessions are with one primary, and nothing is confirmed meanwhile.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "server_pair.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Daemon;
using support::eventually;
using support::numbers;
using support::once_each;
using support::printing_sink;
using testing::delivers_up_to;
using testing::ServerPair;

// What a daemon could have written on a server.
std::string traces(const support::Cluster &cluster, const std::string &database) {
    auto sql = cluster.connect(database);
    return std::string(
        sql.exec("SELECT coalesce((SELECT string_agg(slot_name || confirmed_flush_lsn, ' ')"
                 " FROM pg_replication_slots), '') || (SELECT streams::text"
                 " FROM async_triggers.streams)")
            .text(0, 0));
}

TEST(TwoServers, SqlWithTheNewPrimaryAndReplicationWithTheOldOneIsRefusedAndConfirmsNothing) {
    ServerPair servers;
    auto &site = servers.site;
    Daemon daemon(site.configure(printing_sink, "", servers.name.port()));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 100);
    ASSERT_TRUE(daemon.wait_for_out_lines(100)) << daemon.err();
    servers.catch_up();
    // The old primary lives on.
    servers.standby.promote();
    site.move_to(servers.standby);
    site.insert_items(101, 200);
    servers.name.lead_to({servers.standby.port(), servers.primary.port()});
    servers.name.reset();
    const auto refusals = [&] { return support::occurrences(daemon.err(), "timeline 2 by SQL"); };
    ASSERT_TRUE(eventually([&] { return refusals() >= 1; })) << daemon.err();
    ASSERT_TRUE(eventually([&] {
        return servers.primary.connect("postgres")
            .exec("SELECT FROM pg_replication_slots WHERE active")
            .empty();
    })) << daemon.err();
    const auto on_old = traces(servers.primary, site.database());
    const auto on_new = traces(servers.standby, site.database());
    // It takes writes even now: they are lost, as its users must know.
    servers.primary.connect(site.database()).exec("INSERT INTO items VALUES (1001)");
    ASSERT_TRUE(eventually([&] { return refusals() >= 4; }, 60s)) << daemon.err();
    EXPECT_NE(daemon.err().find("two connections reached two servers"), std::string::npos);
    EXPECT_EQ(support::item_ids(daemon.out()), numbers(1, 100));
    EXPECT_EQ(traces(servers.primary, site.database()), on_old);
    EXPECT_EQ(traces(servers.standby, site.database()), on_new);
    servers.name.lead_to({servers.standby.port()});
    ASSERT_TRUE(delivers_up_to(daemon, 200)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(once_each(support::item_ids(daemon.out())), numbers(1, 200));
    EXPECT_EQ(traces(servers.primary, site.database()), on_old);
}

std::string contents_of(const std::filesystem::path &path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

// A list of hosts is libpq's way to find the primary.
TEST(TwoServers, InAListOfHostsThePrimaryIsFound) {
    ServerPair servers;
    auto &site = servers.site;
    // The standby's name comes first.
    const auto configuration = site.configure(printing_sink);
    std::string text = contents_of(configuration);
    const auto one_host = fmt::format("host: 127.0.0.1\n    port: {}\n", servers.primary.port());
    const auto at = text.find(one_host);
    ASSERT_NE(at, std::string::npos) << text;
    text.replace(at, one_host.size(),
                 fmt::format("uri: host=127.0.0.1,127.0.0.1 port={},{} "
                             "target_session_attrs=read-write\n",
                             servers.standby.port(), servers.primary.port()));
    std::ofstream(configuration) << text;
    Daemon daemon(configuration);
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 100);
    ASSERT_TRUE(daemon.wait_for_out_lines(100)) << daemon.err();
    servers.catch_up();
    servers.primary.kill();
    servers.standby.promote();
    site.move_to(servers.standby);
    site.insert_items(101, 200);
    ASSERT_TRUE(delivers_up_to(daemon, 200)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(once_each(support::item_ids(daemon.out())), numbers(1, 200));
}

} // namespace
} // namespace pgat
