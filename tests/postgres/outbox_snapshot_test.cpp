#include "outbox/snapshot.hpp"

#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "outbox/capture.hpp"
#include "outbox_database.hpp"
#include "postgres/array.hpp"

namespace pgat::outbox {
namespace {

TEST(SnapshotOnPostgres, SeesWhatPostgresSaysIsVisible) {
    auto sql = support::Cluster::shared().connect("postgres");
    std::mt19937_64 random(5);
    for (int round = 0; round < 300; ++round) {
        // Small ones and ones beyond 2^32, with few and with many running.
        const std::uint64_t xmin = 1 + random() % (round % 2 == 0 ? 100 : 1ULL << 40);
        const std::uint64_t width = random() % (round % 3 == 0 ? 1000 : 20);
        std::set<std::uint64_t> running;
        for (auto n = width == 0 ? 0 : random() % width; n > 0; --n)
            running.insert(xmin + random() % width);
        std::string text = fmt::format("{}:{}:", xmin, xmin + width);
        for (const auto xid : running)
            text += fmt::format("{}{}", text.back() == ':' ? "" : ",", xid);
        const auto snapshot = Snapshot::from_server(text);

        std::vector<std::uint64_t> xids;
        for (std::uint64_t xid = xmin > 30 ? xmin - 30 : 1; xid < xmin + width + 30; ++xid)
            xids.push_back(xid);
        const auto answer =
            sql.exec("select pg_visible_in_snapshot(xid, $1::pg_snapshot) "
                     "from unnest($2::xid8[]) with ordinality as x (xid, n) order by n",
                     {text, postgres::number_array(xids)});
        for (std::size_t i = 0; i < xids.size(); ++i)
            ASSERT_EQ(snapshot.sees(Xid(xids[i])), answer.boolean(static_cast<int>(i), 0))
                << xids[i] << " in " << text;
    }
}

TEST(SnapshotOnPostgres, ReadsAndPrintsWhatPostgresReadsAndPrints) {
    auto sql = support::Cluster::shared().connect("postgres");
    std::mt19937_64 random(6);
    int accepted = 0;
    for (int round = 0; round < 1500; ++round) {
        std::string text = "10:20:10,14,15";
        if (round % 3 == 1) text = "12:30:";
        for (auto changes = random() % 3; changes > 0; --changes) {
            constexpr std::string_view alphabet = "0123456789:,- x";
            const auto at = random() % (text.size() + 1);
            const char c = alphabet[random() % alphabet.size()];
            if (random() % 2 == 0 && at < text.size())
                text[at] = c;
            else
                text.insert(text.begin() + static_cast<long>(at), c);
        }
        // What strtoull() forgives, signs and spaces, no server ever prints.
        if (text.find_first_of("- ") != std::string::npos) continue;
        std::optional<std::string> theirs;
        try {
            theirs = sql.exec("select $1::pg_snapshot", {text}).text(0, 0);
        } catch (const Error &) {
        }
        const auto ours = Snapshot::parse(text);
        ASSERT_EQ(ours.has_value(), theirs.has_value()) << text;
        if (ours) {
            ASSERT_EQ(ours->text(), *theirs);
            ++accepted;
        }
    }
    EXPECT_GT(accepted, 300);
}

TEST(SnapshotOnPostgres, LeavesOutOpenAndPreparedTransactions) {
    Database database;
    auto other = database.connect();
    other.exec("begin");
    const Xid prepared(other.exec("select pg_current_xact_id()").unsigned_integer(0, 0));
    other.exec("prepare transaction 'left open'");
    other.exec("begin");
    const Xid open(other.exec("select pg_current_xact_id()").unsigned_integer(0, 0));
    const auto capture = take_capture(database.sql);
    EXPECT_FALSE(capture.snapshot.sees(prepared));
    EXPECT_FALSE(capture.snapshot.sees(open));
    EXPECT_TRUE(capture.snapshot.sees(capture.before));
    other.exec("commit");
    other.exec("commit prepared 'left open'");
    const auto later = take_capture(database.sql);
    EXPECT_TRUE(later.snapshot.sees(prepared));
    EXPECT_TRUE(later.snapshot.sees(open));
    EXPECT_TRUE(later.snapshot.covers(capture.snapshot));
    EXPECT_FALSE(capture.snapshot.covers(later.snapshot));
}

} // namespace
} // namespace pgat::outbox
