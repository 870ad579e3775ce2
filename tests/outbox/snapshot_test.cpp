#include "outbox/snapshot.hpp"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace pgat::outbox {
namespace {

Snapshot snapshot(std::string_view text) { return Snapshot::from_server(text); }

TEST(Snapshot, SeesWhatHadEndedAndNothingElse) {
    const auto s = snapshot("10:20:10,14,15");
    EXPECT_TRUE(s.sees(Xid(9)));
    EXPECT_FALSE(s.sees(Xid(10)));
    EXPECT_TRUE(s.sees(Xid(11)));
    EXPECT_TRUE(s.sees(Xid(13)));
    EXPECT_FALSE(s.sees(Xid(14)));
    EXPECT_FALSE(s.sees(Xid(15)));
    EXPECT_TRUE(s.sees(Xid(19)));
    EXPECT_FALSE(s.sees(Xid(20)));
    EXPECT_EQ(s.xmin(), Xid(10));
    EXPECT_EQ(s.xmax(), Xid(20));
}

TEST(Snapshot, ThatIsEmptySeesNoTransaction) {
    const Snapshot s;
    EXPECT_TRUE(s.empty());
    EXPECT_FALSE(s.sees(Xid(1)));
    EXPECT_FALSE(s.sees(Xid(3)));
    EXPECT_EQ(Snapshot::parse(s.text()), s);
}

TEST(Snapshot, PrintsWhatItRead) {
    for (const char *text : {"1:1:", "10:20:10,14,15",
                             "7:7:", "4294967296:18446744073709551615:", "743:800:743,744,745,799"})
        EXPECT_EQ(snapshot(text).text(), text);
    EXPECT_EQ(snapshot("10:20:11,11,12").text(), "10:20:11,12");
}

TEST(Snapshot, RefusesWhatPostgresRefuses) {
    for (const char *text : {"",           ":",         "::",
                             "10",         "10:",       "10:20",
                             "0:20:",      "10:0:",     "20:10:",
                             "10:20:9",    "10:20:20",  "10:20:12,11",
                             "10:20:,",    "10:20:,11", "10:20:11,,12",
                             "10:20:x",    "10:20: 11", " 10:20:",
                             "10:20:11 ",  "-1:20:",    "10:99999999999999999999:",
                             "10:20:11:12"})
        EXPECT_FALSE(Snapshot::parse(text)) << text;
}

TEST(Snapshot, CoversExactlyWhatItSeesAsWell) {
    EXPECT_TRUE(snapshot("10:20:").covers(snapshot("10:20:12")));
    EXPECT_FALSE(snapshot("10:20:12").covers(snapshot("10:20:")));
    EXPECT_TRUE(snapshot("10:20:12").covers(snapshot("5:12:")));
    EXPECT_FALSE(snapshot("10:20:11").covers(snapshot("5:12:")));
    // Beyond its own xmax, a snapshot covers only what the other does not see either.
    EXPECT_TRUE(snapshot("10:12:").covers(snapshot("10:14:12,13")));
    EXPECT_FALSE(snapshot("10:12:").covers(snapshot("10:14:12")));
    EXPECT_TRUE(Snapshot().covers(Snapshot()));
    EXPECT_TRUE(snapshot("3:3:").covers(Snapshot()));
    EXPECT_FALSE(Snapshot().covers(snapshot("3:3:")));
}

TEST(Snapshot, CoversAgreesWithASetOfTransactions) {
    std::mt19937 random(7);
    const auto draw = [&](int from, int to) {
        return static_cast<std::uint64_t>(std::uniform_int_distribution<int>(from, to)(random));
    };
    int covered = 0;
    for (int round = 0; round < 20'000; ++round) {
        const auto make = [&] {
            const auto xmin = draw(1, 8);
            const auto xmax = xmin + draw(0, 6);
            std::string text = std::to_string(xmin) + ":" + std::to_string(xmax) + ":";
            for (auto xid = xmin; xid < xmax; ++xid)
                if (draw(0, 2) == 0) text += (text.back() == ':' ? "" : ",") + std::to_string(xid);
            return snapshot(text);
        };
        const auto a = make();
        const auto b = make();
        bool all = true;
        for (std::uint64_t xid = 1; xid < 20; ++xid)
            all = all && (a.sees(Xid(xid)) || !b.sees(Xid(xid)));
        EXPECT_EQ(a.covers(b), all) << a.text() << " and " << b.text();
        covered += all ? 1 : 0;
    }
    EXPECT_GT(covered, 1000);
}

TEST(Snapshot, WithoutTransactionsIsTheSameBeforeTheyEnded) {
    const auto s = snapshot("10:20:12,14");
    EXPECT_EQ(s.without({}), s);
    EXPECT_EQ(s.without({Xid(12), Xid(25)}), s);
    EXPECT_EQ(s.without({Xid(15), Xid(11), Xid(15)}).text(), "10:20:11,12,14,15");
    const auto earlier = s.without({Xid(7)});
    EXPECT_EQ(earlier.text(), "7:20:7,12,14");
    EXPECT_TRUE(earlier.sees(Xid(6)));
    EXPECT_FALSE(earlier.sees(Xid(7)));
    EXPECT_TRUE(earlier.sees(Xid(9)));
    EXPECT_TRUE(s.covers(earlier));
    EXPECT_FALSE(earlier.covers(s));
}

} // namespace
} // namespace pgat::outbox
