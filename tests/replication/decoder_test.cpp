#include "replication/pgoutput/decoder.hpp"

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/pgoutput_bytes.hpp"

namespace pgat::replication {
namespace {

using support::Bytes;

// One message of each kind, and of each form of it.
std::vector<std::string> every_message() {
    return {
        support::begin_message(0x16B374D848, 1000, 7),
        support::commit_message(0x16B374D848, 0x16B374D878, 1000),
        support::relation_message(16385, "public", "t", {{"id", 20}, {"what", 3802}}),
        support::relation_message(16385, "", "without_columns", {}),
        Bytes('I').int32(16385).raw("N").int16(4).null().unchanged().text("one").binary("two"),
        Bytes('I').int32(16385).raw("N").int16(0),
        Bytes('U').int32(16385).raw("N").int16(1).text("new"),
        Bytes('U').int32(16385).raw("K").int16(1).text("key").raw("N").int16(1).unchanged(),
        Bytes('U').int32(16385).raw("O").int16(1).text("old").raw("N").int16(1).null(),
        Bytes('D').int32(16385).raw("K").int16(1).text("key"),
        Bytes('D').int32(16385).raw("O").int16(2).text("old").binary("too"),
        Bytes('T').int32(2).int8(1).int32(16385).int32(16386),
        Bytes('T').int32(0).int8(0),
        Bytes('Y').int32(16400).string("public").string("mood"),
        Bytes('O').int64(99).string("elsewhere"),
        Bytes('M').int8(1).int64(99).string("prefix").int32(7).raw("content"),
    };
}

// Decodes a copy that ends where the message ends, so that a sanitizer sees a read beyond it.
void decode_exactly(Decoder &decoder, std::string_view bytes) {
    const auto copy = std::make_unique<char[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy.get());
    decoder.decode({copy.get(), bytes.size()});
}

TEST(Decoder, ReadsBegin) {
    Decoder decoder;
    const auto bytes = support::begin_message(0x16B374D848, 0, 4'000'000'000);
    const auto begin = std::get<Begin>(decoder.decode(bytes));
    EXPECT_EQ(begin.commit_lsn.text(), "16/B374D848");
    EXPECT_EQ(begin.committed_at, Timestamp(946'684'800'000'000)); // 2000-01-01
    EXPECT_EQ(begin.xid, Xid32(4'000'000'000));
}

TEST(Decoder, ReadsATimeBeforePostgresEpoch) {
    Decoder decoder;
    const auto bytes = support::begin_message(1, static_cast<std::uint64_t>(-1), 1);
    EXPECT_EQ(std::get<Begin>(decoder.decode(bytes)).committed_at, Timestamp(946'684'799'999'999));
}

TEST(Decoder, ReadsCommit) {
    Decoder decoder;
    const auto bytes = support::commit_message(100, 150, 5);
    const auto commit = std::get<Commit>(decoder.decode(bytes));
    EXPECT_EQ(commit.commit_lsn, Lsn(100));
    EXPECT_EQ(commit.end_lsn, Lsn(150));
    EXPECT_EQ(commit.committed_at, Timestamp(946'684'800'000'005));
}

TEST(Decoder, ReadsRelation) {
    Decoder decoder;
    const auto bytes =
        support::relation_message(16385, "my schema", "Tab.le", {{"id", 20}, {"ünïcode", 3802}});
    const auto relation = std::get<RelationDescription>(decoder.decode(bytes));
    EXPECT_EQ(relation.id, RelationId(16385));
    EXPECT_EQ(relation.schema, "my schema");
    EXPECT_EQ(relation.name, "Tab.le");
    EXPECT_EQ(relation.replica_identity, 'd');
    ASSERT_EQ(relation.columns.size(), 2U);
    EXPECT_TRUE(relation.columns[0].key);
    EXPECT_FALSE(relation.columns[1].key);
    EXPECT_EQ(relation.columns[1].name, "ünïcode");
    EXPECT_EQ(relation.columns[1].type, TypeId(3802));
    EXPECT_EQ(relation.columns[1].modifier, -1);
}

TEST(Decoder, ReadsInsertWithoutCopyingItsValues) {
    Decoder decoder;
    const std::string zeros("\0\0with zeros", 12);
    const Bytes bytes =
        Bytes('I').int32(16385).raw("N").int16(5).null().unchanged().text("").text("one").binary(
            zeros);
    const auto insert = std::get<Insert>(decoder.decode(bytes));
    EXPECT_EQ(insert.relation, RelationId(16385));
    ASSERT_EQ(insert.values.size(), 5U);
    EXPECT_EQ(insert.values[0].kind, ValueKind::null);
    EXPECT_EQ(insert.values[1].kind, ValueKind::unchanged);
    EXPECT_EQ(insert.values[2].kind, ValueKind::text);
    EXPECT_EQ(insert.values[2].bytes, "");
    EXPECT_EQ(insert.values[3].bytes, "one");
    EXPECT_EQ(insert.values[4].kind, ValueKind::binary);
    EXPECT_EQ(insert.values[4].bytes, zeros);
    EXPECT_EQ(insert.values[4].bytes.data(),
              bytes.str().data() + bytes.str().size() - zeros.size());
}

TEST(Decoder, ReadsWhatAnInsertsOnlyStreamDoesNotSend) {
    Decoder decoder;
    const auto messages = every_message();
    EXPECT_EQ(std::get<Update>(decoder.decode(messages[7])).relation, RelationId(16385));
    EXPECT_EQ(std::get<Delete>(decoder.decode(messages[9])).relation, RelationId(16385));
    EXPECT_EQ(std::get<Truncate>(decoder.decode(messages[11])).relations, 2U);
    EXPECT_EQ(std::get<TypeDescription>(decoder.decode(messages[13])).name, "mood");
    EXPECT_EQ(std::get<Origin>(decoder.decode(messages[14])).name, "elsewhere");
    const auto message = std::get<LogicalMessage>(decoder.decode(messages[15]));
    EXPECT_TRUE(message.transactional);
    EXPECT_EQ(message.prefix, "prefix");
    EXPECT_EQ(message.content, "content");
}

TEST(Decoder, NamesAKindThatItDoesNotKnow) {
    Decoder decoder;
    EXPECT_EQ(std::get<Unknown>(decoder.decode("S whatever")).kind, 'S');
}

TEST(Decoder, RefusesEveryMessageCutShortAnywhere) {
    Decoder decoder;
    for (const auto &message : every_message()) {
        ASSERT_NO_THROW(decode_exactly(decoder, message)) << message[0];
        for (std::size_t size = 0; size < message.size(); ++size) {
            try {
                decode_exactly(decoder, std::string_view(message).substr(0, size));
                FAIL() << message[0] << " cut to " << size << " bytes was read";
            } catch (const Error &error) {
                EXPECT_EQ(error.remedy(), Remedy::reconnect);
            }
        }
    }
}

TEST(Decoder, RefusesEveryMessageThatGoesOnBeyondItsEnd) {
    Decoder decoder;
    for (const auto &message : every_message())
        EXPECT_THROW(decode_exactly(decoder, message + "x"), Error) << message[0];
}

TEST(Decoder, RefusesCountsAndLengthsThatTheBytesCannotHold) {
    Decoder decoder;
    EXPECT_THROW(decoder.decode(Bytes('I').int32(1).raw("N").int16(0xFFFF).null()), Error);
    EXPECT_THROW(decoder.decode(Bytes('I').int32(1).raw("N").int16(1).raw("t").int32(0xFFFFFFFF)),
                 Error);
    EXPECT_THROW(decoder.decode(Bytes('T').int32(0xFFFFFFFF).int8(0).int32(1)), Error);
    EXPECT_THROW(decoder.decode(Bytes('I').int32(1).raw("N").int16(1).raw("z")), Error);
    EXPECT_THROW(decoder.decode(Bytes('I').int32(1).raw("X").int16(0)), Error);
}

TEST(Decoder, GivesBackWhateverRowItIsGiven) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Decoder decoder;
    for (unsigned round = 0; round < 2000; ++round) {
        Bytes bytes('I');
        const auto width = random() % 40;
        bytes.int32(round).raw("N").int16(width);
        std::vector<std::pair<ValueKind, std::string>> written;
        for (std::size_t i = 0; i < width; ++i) {
            std::string value(random() % 50, '\0');
            for (auto &byte : value)
                byte = static_cast<char>(random());
            switch (random() % 4) {
            case 0:
                bytes.null();
                written.emplace_back(ValueKind::null, "");
                break;
            case 1:
                bytes.unchanged();
                written.emplace_back(ValueKind::unchanged, "");
                break;
            case 2:
                bytes.text(value);
                written.emplace_back(ValueKind::text, value);
                break;
            default:
                bytes.binary(value);
                written.emplace_back(ValueKind::binary, value);
            }
        }
        const auto insert = std::get<Insert>(decoder.decode(bytes));
        ASSERT_EQ(insert.values.size(), written.size());
        for (std::size_t i = 0; i < width; ++i) {
            EXPECT_EQ(insert.values[i].kind, written[i].first);
            EXPECT_EQ(insert.values[i].bytes, written[i].second);
        }
    }
}

TEST(Decoder, SurvivesAnyByteChanged) {
    Decoder decoder;
    for (auto message : every_message())
        for (auto &byte : message)
            for (int flip = 1; flip < 256; ++flip) {
                byte = static_cast<char>(byte ^ flip);
                try {
                    decode_exactly(decoder, message);
                } catch (const Error &error) {
                    EXPECT_EQ(error.remedy(), Remedy::reconnect);
                }
                byte = static_cast<char>(byte ^ flip);
            }
}

} // namespace
} // namespace pgat::replication
