#include "replication/frame.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/pgoutput_bytes.hpp"

namespace pgat::replication {
namespace {

using support::Bytes;

TEST(Frames, CarryAPieceOfTheStream) {
    const Bytes bytes = Bytes('w').int64(100).int64(200).int64(3).raw("message");
    const auto data = std::get<WalData>(parse_frame(bytes));
    EXPECT_EQ(data.start, Lsn(100));
    EXPECT_EQ(data.wal_end, Lsn(200));
    EXPECT_EQ(data.sent_at, Timestamp(946'684'800'000'003));
    EXPECT_EQ(data.bytes, "message");
}

TEST(Frames, CarryAKeepalive) {
    const Bytes asks = Bytes('k').int64(200).int64(3).int8(1);
    const auto keepalive = std::get<Keepalive>(parse_frame(asks));
    EXPECT_EQ(keepalive.wal_end, Lsn(200));
    EXPECT_EQ(keepalive.sent_at, Timestamp(946'684'800'000'003));
    EXPECT_TRUE(keepalive.reply_requested);
    const Bytes asks_not = Bytes('k').int64(200).int64(3).int8(0);
    EXPECT_FALSE(std::get<Keepalive>(parse_frame(asks_not)).reply_requested);
}

TEST(Frames, AreRefusedWhenMalformed) {
    const Bytes data = Bytes('w').int64(100).int64(200).int64(3);
    const Bytes keepalive = Bytes('k').int64(200).int64(3).int8(1);
    for (const std::string &whole : {data.str(), keepalive.str()})
        for (std::size_t size = 0; size < whole.size(); ++size)
            EXPECT_THROW(parse_frame(std::string_view(whole).substr(0, size)), Error);
    EXPECT_THROW(parse_frame(keepalive.str() + "x"), Error);
    EXPECT_THROW(parse_frame("z"), Error);
}

TEST(Frames, WriteTheStandbyStatus) {
    std::string buffer = "what was there before";
    write_status({Lsn(0x1122334455667788), Lsn(5), Timestamp(946'684'800'000'009), true}, buffer);
    EXPECT_EQ(buffer,
              Bytes('r').int64(0x1122334455667788).int64(5).int64(0).int64(9).int8(1).str());
}

} // namespace
} // namespace pgat::replication
