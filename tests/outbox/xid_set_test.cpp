#include "outbox/xid_set.hpp"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace pgat::outbox {
namespace {

TEST(XidSet, AgreesWithAStandardSet) {
    std::mt19937_64 random(11);
    std::set<Xid> model;
    XidSet set;
    for (int step = 0; step < 50'000; ++step) {
        // Neighbours now and strangers then, around 2^32.
        const Xid xid(random() % 8 == 0 ? random() : (1ULL << 32) + random() % 3000);
        EXPECT_EQ(set.contains(xid), model.contains(xid));
        if (xid != Xid{}) {
            EXPECT_EQ(set.insert(xid), model.insert(xid).second);
        }
        if (step % 5000 == 4999) {
            const auto gone = [](Xid one) { return one.value() % 3 == 0; };
            set.erase_if(gone);
            std::erase_if(model, gone);
        }
        ASSERT_EQ(set.size(), model.size());
    }
    EXPECT_EQ(set.sorted(), std::vector<Xid>(model.begin(), model.end()));
}

TEST(XidSet, NeverHoldsXidZero) {
    XidSet set;
    EXPECT_FALSE(set.contains(Xid(0)));
    EXPECT_FALSE(set.insert(Xid(0)));
    set.insert(Xid(5));
    EXPECT_FALSE(set.contains(Xid(0)));
    EXPECT_EQ(set.sorted(), std::vector{Xid(5)});
}

} // namespace
} // namespace pgat::outbox
