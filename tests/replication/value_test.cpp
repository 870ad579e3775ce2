#include "replication/pgoutput/value.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/pgoutput_bytes.hpp"

namespace pgat::replication {
namespace {

using support::Bytes;

Value binary(const Bytes &bytes) { return {ValueKind::binary, bytes}; }
Value text(std::string_view bytes) { return {ValueKind::text, bytes}; }

TEST(Values, ReadIntegersInBothFormats) {
    const auto minus_two = Bytes().int64(static_cast<std::uint64_t>(-2));
    EXPECT_EQ(int8_value(binary(minus_two)), -2);
    EXPECT_EQ(int8_value(text("-9223372036854775808")), std::numeric_limits<std::int64_t>::min());
    const auto largest = Bytes().int64(std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(xid8_value(binary(largest)), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(xid8_value(text("18446744073709551615")), std::numeric_limits<std::uint64_t>::max());
}

TEST(Values, ReadTimesAsMicrosecondsSince1970) {
    EXPECT_EQ(timestamptz_value(binary(Bytes().int64(0))), Timestamp(946'684'800'000'000));
    const auto before = Bytes().int64(static_cast<std::uint64_t>(-946'684'800'000'001));
    EXPECT_EQ(timestamptz_value(binary(before)), Timestamp(-1));
    EXPECT_EQ(timestamptz_value(text("1970-01-01 00:00:00+00")), Timestamp(0));
    EXPECT_EQ(timestamptz_value(text("2026-11-22 08:34:38.12+00")),
              Timestamp(1'795'336'478'120'000));
    EXPECT_EQ(timestamptz_value(text("2026-11-22 22:19:38.000001+13:45")),
              Timestamp(1'795'336'478'000'001));
    EXPECT_EQ(timestamptz_value(text("1883-11-18 12:03:58-04:56:02")),
              timestamptz_value(text("1883-11-18 17:00:00+00")));
    EXPECT_EQ(timestamptz_value(text("10000-01-01 00:00:00+00")),
              Timestamp(253'402'300'800'000'000));
}

TEST(Values, ReadJsonbAsItsText) {
    const Bytes document = Bytes().int8(1).raw("{\"a\": 12345678901234567890.123456789}");
    const auto json = jsonb_text(binary(document));
    EXPECT_EQ(json, "{\"a\": 12345678901234567890.123456789}");
    EXPECT_EQ(json.data(), document.str().data() + 1);
    EXPECT_EQ(jsonb_text(text("[1]")), "[1]");
}

TEST(Values, RefuseWhatIsNotOfTheType) {
    const auto refuses = [](auto &&read) {
        try {
            read();
            ADD_FAILURE() << "was read";
        } catch (const Error &error) {
            EXPECT_EQ(error.remedy(), Remedy::stop);
        }
    };
    for (const auto kind : {ValueKind::null, ValueKind::unchanged}) {
        refuses([&] { int8_value({kind, {}}); });
        refuses([&] { xid8_value({kind, {}}); });
        refuses([&] { timestamptz_value({kind, {}}); });
        refuses([&] { jsonb_text({kind, {}}); });
    }
    refuses([] { int8_value(binary(Bytes().int32(1))); });
    refuses([] { int8_value(binary(Bytes().int64(1).int8(1))); });
    refuses([] { int8_value(text("12x")); });
    refuses([] { int8_value(text("")); });
    refuses([] { xid8_value(text("-1")); });
    refuses([] { int8_value(text("9223372036854775808")); });
    refuses([] { jsonb_text(binary(Bytes().int8(2).raw("{}"))); });
    refuses([] { jsonb_text(binary(Bytes())); });
    for (const auto *time :
         {"infinity", "", "2026-13-01 00:00:00+00", "2026-02-30 00:00:00+00", "2026-11-22",
          "2026-11-22 08:34:38", "2026-11-22 08:34:38+00 BC", "2026-11-22 08:34:38.+00",
          "22/11/2026 08:34:38+00", "2026-11-22T08:34:38+00"})
        refuses([&] { timestamptz_value(text(time)); });
    refuses([] { // -infinity
        timestamptz_value(binary(Bytes().int64(std::uint64_t{1} << 63)));
    });
    refuses([] { // infinity
        timestamptz_value(binary(Bytes().int64((std::uint64_t{1} << 63) - 1)));
    });
}

} // namespace
} // namespace pgat::replication
