#include <gtest/gtest.h>

#include "base/lsn.hpp"

namespace pgat {
namespace {

TEST(Lsn, ReadsAndPrintsPostgresText) {
    for (const char *text : {"0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF", "0/1"}) {
        const auto lsn = Lsn::parse(text);
        ASSERT_TRUE(lsn) << text;
        EXPECT_EQ(lsn->text(), text);
    }
    EXPECT_EQ(Lsn::parse("16/B374D848")->value(), 0x16B374D848U);
}

TEST(Lsn, RefusesWhatIsNoPosition) {
    for (const char *text :
         {"", "/", "1", "1/", "/1", "g/1", "1/2/3", "123456789/0", " 1/2", "-1/2"})
        EXPECT_FALSE(Lsn::parse(text)) << text;
}

TEST(Lsn, CountsBytesForwardOnly) {
    EXPECT_EQ(Lsn(100).bytes_since(Lsn(40)), 60U);
    EXPECT_EQ(Lsn(40).bytes_since(Lsn(100)), 0U);
}

} // namespace
} // namespace pgat
