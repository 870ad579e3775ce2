#include "outbox/copy_row.hpp"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace pgat::outbox {
namespace {

std::string number(std::uint64_t value, std::size_t size) {
    std::string bytes;
    while (size > 0)
        bytes += static_cast<char>(value >> (8 * --size) & 0xFF);
    return bytes;
}

std::string value(std::string_view bytes) { return number(bytes.size(), 4) + std::string(bytes); }
const std::string null = number(0xFFFFFFFF, 4);
const std::string header = std::string("PGCOPY\n\377\r\n\0", 11) + number(0, 8);
const std::string trailer = number(0xFFFF, 2);

std::string row(std::uint64_t xid, std::uint64_t id, std::uint64_t time, std::string_view payload,
                const std::string &metadata = null) {
    return number(5, 2) + value(number(xid, 8)) + value(number(id, 8)) + value(number(time, 8)) +
           value("\1" + std::string(payload)) + metadata;
}

TEST(CopyRows, GivesEventsAsTheTableHasThem) {
    Chunk chunk;
    CopyRows rows;
    rows.add(header + row(1ULL << 40, 7, 0, "{\"a\": 1}", value("\1{\"t\": 2}")), chunk);
    rows.add(row(5, 8, 123'456, "null"), chunk);
    EXPECT_FALSE(rows.ended());
    rows.add(trailer, chunk);
    EXPECT_TRUE(rows.ended());
    ASSERT_EQ(chunk.events.size(), 2U);
    EXPECT_EQ(chunk.events[0].xid, Xid(1ULL << 40));
    EXPECT_EQ(chunk.events[0].at.id, EventId(7));
    EXPECT_EQ(chunk.events[0].at.created_at, Timestamp(946'684'800'000'000)) << "2000-01-01";
    EXPECT_EQ(chunk.events[0].payload, "{\"a\": 1}");
    EXPECT_EQ(chunk.events[0].metadata, "{\"t\": 2}");
    EXPECT_FALSE(chunk.events[0].commit_lsn.valid());
    EXPECT_EQ(chunk.events[1].payload, "null");
    EXPECT_TRUE(chunk.events[1].metadata.empty());
    EXPECT_EQ(chunk.bytes, 20U);
    EXPECT_EQ(rows.rows(), 2U);
    EXPECT_EQ(rows.last(), chunk.events[1].at);
}

TEST(CopyRows, TakesACopyWithoutRowsInOneMessage) {
    Chunk chunk;
    CopyRows rows;
    rows.add(header + trailer, chunk);
    EXPECT_TRUE(rows.ended());
    EXPECT_TRUE(chunk.empty());
}

TEST(CopyRows, LeavesOutWhatIsNotWantedButRemembersWhereItStood) {
    Chunk chunk;
    CopyRows rows;
    rows.add(header + row(5, 7, 1, "1") + row(6, 8, 1, "2"), chunk,
             [](const Event &event) { return event.xid == Xid(5); });
    EXPECT_EQ(chunk.events.size(), 1U);
    EXPECT_EQ(rows.last().id, EventId(8));
    EXPECT_EQ(rows.rows(), 2U);
}

TEST(CopyRows, RefuseWhatIsNotSuchACopy) {
    const std::string good = header + row(5, 7, 1, "1");
    const auto refused = [](const std::string &bytes) {
        Chunk chunk;
        CopyRows rows;
        EXPECT_THROW(rows.add(bytes, chunk), Error) << bytes;
    };
    // Cut off anywhere, but at the header's end and at its own.
    for (std::size_t size = 1; size < good.size(); ++size)
        if (size != header.size()) refused(good.substr(0, size));
    refused("PGCOPX" + good.substr(6));
    refused(std::string("PGCOPY\n\377\r\n\0", 11) + number(1U << 16, 4) + number(0, 4));
    refused(header + number(4, 2));
    refused(good + trailer + "x");
    refused(header + number(5, 2) + value(number(1, 4)));            // an xid of 32 bits
    refused(header + number(5, 2) + null);                           // no xid
    refused(header + number(5, 2) + number(0xFFFFFFFE, 4));          // a length of -2
    refused(header + row(5, 7, 1, "1").substr(0, 38) + null + null); // no payload
    refused(header + row(5, 7, 1, "1").substr(0, 38) +
            value("\2"
                  "1") +
            null); // another jsonb
    refused(header + row(5, 7, 1, "1").substr(0, 38) + value("") + null);
}

TEST(CopyRows, SurvivesBytesOutOfOrder) {
    std::mt19937 random(3);
    const std::string good = header + row(5, 7, 1, "{\"some\": \"text\"}", value("\1{}")) + trailer;
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = good;
        for (auto changes = random() % 4 + 1; changes > 0; --changes)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        Chunk chunk;
        CopyRows rows;
        try {
            rows.add(bytes, chunk);
        } catch (const Error &) {
        }
        for (const Event &event : chunk.events)
            ASSERT_LE(event.payload.size() + event.metadata.size(), bytes.size());
    }
}

} // namespace
} // namespace pgat::outbox
