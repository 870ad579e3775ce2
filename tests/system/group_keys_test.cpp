// With stream.group_key an event that must be retried holds back its own key, and nothing else, whatever happens
// meanwhile.
#include <algorithm>
#include <csignal>
#include <map>
#include <mutex>
#include <set>

#include <gtest/gtest.h>

#include "system/outage_site.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Daemon;
using support::eventually;
using support::numbers;

// Items whose name is their key; a sink that refuses some names for the time being.
class GroupKeys : public testing::Test {
  protected:
    GroupKeys() {
        site.exec("UPDATE async_triggers.subscriptions SET column_names = '{id,name}'");
        site.receiver.answer_with([this](const support::HttpRequest &request) {
            const std::lock_guard lock(mutex);
            for (const auto &[name, status] : refused)
                if (request.body.find("\"name\": \"" + name + "\"") != std::string::npos)
                    return support::HttpAnswer{status, "not now", {}};
            taken += request.body + "\n";
            return support::HttpAnswer{};
        });
    }

    std::filesystem::path configuration(const std::string &more = "") {
        return site.configuration("  group_key: /new/name\n" + more);
    }
    void refuse(const std::string &name, int status = 500) {
        const std::lock_guard lock(mutex);
        refused[name] = status;
    }
    void accept(const std::string &name) {
        const std::lock_guard lock(mutex);
        refused.erase(name);
    }
    // One transaction each.
    void insert(std::int64_t id, const std::optional<std::string> &name) {
        site.exec("INSERT INTO items VALUES ($1, $2)", {id, name});
    }
    std::vector<std::int64_t> items() const {
        const std::lock_guard lock(mutex);
        return support::item_ids(taken);
    }
    bool has(std::size_t count) {
        return eventually([&] { return items().size() >= count; });
    }

    OutageSite site;
    mutable std::mutex mutex;
    std::map<std::string, int> refused;
    std::string taken; // what it did not refuse
};

using Ids = std::vector<std::int64_t>;

TEST_F(GroupKeys, LetOtherKeysGoOnWhileOneMustBeRetried) {
    Daemon daemon(configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    refuse("a");
    insert(1, "a");
    insert(2, "b");
    insert(3, "a");
    insert(4, "c");
    for (int id = 5; id <= 100; ++id)
        insert(id, id % 10 == 0 ? "a" : "b");
    ASSERT_TRUE(has(100 - 2 - 10)) << daemon.err();
    EXPECT_EQ(site.status(), "streaming");
    accept("a");
    ASSERT_TRUE(has(100)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    const auto ids = items();
    EXPECT_EQ(ids.size(), 100U);
    EXPECT_EQ(Ids(ids.end() - 12, ids.end()), (Ids{1, 3, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100}))
        << "of one key in order";
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end() - 12));
}

TEST_F(GroupKeys, LetNothingPassAnEventWithoutTheKey) {
    Daemon daemon(configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    refuse("a");
    insert(1, "a");
    insert(2, "b");
    insert(3, std::nullopt);
    insert(4, "c");
    ASSERT_TRUE(has(1)) << daemon.err();
    // Held back by the barrier, though the sink would take them.
    ASSERT_FALSE(eventually([&] { return items().size() > 1; }, 1s));
    accept("a");
    ASSERT_TRUE(has(4)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_EQ(items(), (Ids{2, 1, 3, 4}));
}

TEST_F(GroupKeys, ReleaseTheWalThoughAKeyIsHeldBack) {
    Daemon daemon(configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    refuse("a");
    insert(1, "a");
    insert(2, "b");
    const auto written = site.wal();
    // Housekeeping stores the cursor as it moves, about once a second while events flow.
    std::int64_t id = 2;
    EXPECT_TRUE(eventually([&] {
        insert(++id, "b");
        return site.confirmed() >= written;
    })) << daemon.err();
    EXPECT_EQ(site.status(), "streaming");
    accept("a");
    ASSERT_TRUE(has(static_cast<std::size_t>(id)));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(GroupKeys, SurviveACleanStopWithoutADuplicate) {
    const auto file = configuration();
    refuse("a");
    {
        Daemon daemon(file);
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        for (int id = 1; id <= 50; ++id)
            insert(id, id % 5 == 0 ? "a" : "b");
        ASSERT_TRUE(has(40)) << daemon.err();
        EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    }
    accept("a");
    Daemon daemon(file);
    ASSERT_TRUE(has(50)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    auto ids = items();
    EXPECT_TRUE(std::is_sorted(ids.begin() + 40, ids.end()));
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, numbers(1, 50));
}

TEST_F(GroupKeys, LoseNothingInAKill) {
    const auto file = configuration();
    refuse("a");
    {
        Daemon daemon(file);
        ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
        // Long enough for the cursor to be stored, over held events, several times.
        std::int64_t id = 0;
        const auto until = std::chrono::steady_clock::now() + 3s;
        while (std::chrono::steady_clock::now() < until) {
            ++id;
            insert(id, id % 5 == 0 ? "a" : "b");
        }
        ASSERT_TRUE(has(static_cast<std::size_t>(id - id / 5))) << daemon.err();
        daemon.signal(SIGKILL);
        daemon.wait();
    }
    const auto count = site.exec("SELECT count(*) FROM items").integer(0, 0);
    accept("a");
    Daemon daemon(file);
    ASSERT_TRUE(eventually([&] {
        const auto ids = items();
        return std::set<std::int64_t>(ids.begin(), ids.end()).size() ==
               static_cast<std::size_t>(count);
    })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    Ids held;
    for (const auto id : items())
        if (id % 5 == 0) held.push_back(id);
    EXPECT_TRUE(std::is_sorted(held.begin(), held.end()));
}

TEST_F(GroupKeys, GoToFailoverWhenMoreIsHeldBackThanFits) {
    Daemon daemon(configuration("  batch: {max_size: 100, max_bytes: 20000}\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    refuse("a");
    insert(1, "a");
    insert(2, "b");
    site.exec("INSERT INTO items SELECT i, CASE i % 2 WHEN 0 THEN 'b' ELSE 'a' END"
              " FROM generate_series(3, 1000) i");
    ASSERT_TRUE(eventually([&] { return site.status() == "failover"; })) << daemon.err();
    EXPECT_NE(site.row("failover_reason").find("500"), std::string::npos)
        << site.row("failover_reason");
    accept("a");
    ASSERT_TRUE(has(1000)) << daemon.err();
    ASSERT_TRUE(eventually([&] { return site.status() == "streaming"; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    Ids of_a;
    Ids of_b;
    for (const auto id : items())
        (id % 2 == 0 ? of_b : of_a).push_back(id);
    EXPECT_EQ(of_a.size() + of_b.size(), 1000U) << "without a duplicate";
    EXPECT_TRUE(std::is_sorted(of_a.begin(), of_a.end()));
    EXPECT_TRUE(std::is_sorted(of_b.begin(), of_b.end()));
}

TEST_F(GroupKeys, GoOnBehindADeadLetter) {
    Daemon daemon(configuration());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    refuse("a", 422);
    insert(1, "a");
    insert(2, "b");
    ASSERT_TRUE(eventually([&] {
        return site.exec("SELECT FROM async_triggers.dead_letters WHERE stream_id = $1",
                         {site.stream()})
                   .rows() == 1;
    })) << daemon.err();
    accept("a");
    insert(3, "a");
    ASSERT_TRUE(has(2)) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_EQ(items(), (Ids{2, 3}));
}

TEST_F(GroupKeys, SurviveACrashOfPostgresWithoutADuplicate) {
    support::Cluster cluster;
    OutageSite own(cluster);
    own.exec("UPDATE async_triggers.subscriptions SET column_names = '{id,name}'");
    std::atomic<bool> refusing{true};
    std::mutex guard;
    std::string bodies;
    own.receiver.answer_with([&](const support::HttpRequest &request) {
        if (refusing && request.body.find("\"name\": \"a\"") != std::string::npos)
            return support::HttpAnswer{500, {}, {}};
        const std::lock_guard lock(guard);
        bodies += request.body + "\n";
        return support::HttpAnswer{};
    });
    const auto ids = [&] {
        const std::lock_guard lock(guard);
        return support::item_ids(bodies);
    };
    Daemon daemon(own.configuration("  group_key: /new/name\n"));
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    const auto write = [&](std::int64_t first, std::int64_t last) {
        own.exec("INSERT INTO items SELECT i, CASE WHEN i % 5 = 0 THEN 'a' ELSE 'b' END"
                 " FROM generate_series($1::bigint, $2) i",
                 {first, last});
    };
    write(1, 50);
    ASSERT_TRUE(eventually([&] { return ids().size() == 40; })) << daemon.err();
    cluster.restart(support::Cluster::Stop::immediate);
    write(51, 100);
    refusing = false;
    ASSERT_TRUE(eventually([&] { return ids().size() >= 100; })) << daemon.err();
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    auto all = ids();
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, numbers(1, 100)) << "once each";
}

} // namespace
} // namespace pgat
