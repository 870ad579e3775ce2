#include "replication/pgoutput/value.hpp"

#include <charconv>
#include <chrono>
#include <limits>

#include <fmt/format.h>

#include "base/error.hpp"
#include "replication/pgoutput/reader.hpp"

namespace pgat::replication {

namespace {

[[noreturn]] void not_a(const char *type) {
    throw Error(Remedy::stop, fmt::format("a column of the stream does not hold a {}", type))
        .with_hint("the table is not as the migrations made it; compare it with "
                   "postgres-async-triggers migrate --print");
}

template <class Number>
Number number(const Value &value, const char *type) {
    Number result{};
    if (value.kind == ValueKind::binary) {
        if (value.bytes.size() != sizeof(Number)) not_a(type);
        return static_cast<Number>(big_endian<std::make_unsigned_t<Number>>(value.bytes.data()));
    }
    if (value.kind != ValueKind::text) not_a(type);
    const char *const end = value.bytes.data() + value.bytes.size();
    const auto read = std::from_chars(value.bytes.data(), end, result);
    if (read.ec != std::errc{} || read.ptr != end) not_a(type);
    return result;
}

// Takes digits, between `least` and `most` of them, off the front of `text`.
std::int64_t take_digits(std::string_view &text, std::size_t least, std::size_t most) {
    std::int64_t value = 0;
    std::size_t count = 0;
    while (count < text.size() && count < most && text[count] >= '0' && text[count] <= '9')
        value = value * 10 + (text[count++] - '0');
    if (count < least) not_a("timestamp with time zone");
    text.remove_prefix(count);
    return value;
}

bool take(std::string_view &text, std::string_view mark) {
    if (!text.starts_with(mark)) return false;
    text.remove_prefix(mark.size());
    return true;
}

void require(std::string_view &text, std::string_view mark) {
    if (!take(text, mark)) not_a("timestamp with time zone");
}

// "2026-11-22 08:34:38.123456+05:30"
Timestamp iso_timestamp(std::string_view text) {
    using namespace std::chrono;
    const year written_year(static_cast<int>(take_digits(text, 4, 5)));
    require(text, "-");
    const month written_month(static_cast<unsigned>(take_digits(text, 2, 2)));
    require(text, "-");
    const day written_day(static_cast<unsigned>(take_digits(text, 2, 2)));
    const year_month_day date(written_year, written_month, written_day);
    if (!date.ok()) not_a("timestamp with time zone");
    require(text, " ");
    std::int64_t seconds = take_digits(text, 2, 2) * 3600;
    require(text, ":");
    seconds += take_digits(text, 2, 2) * 60;
    require(text, ":");
    seconds += take_digits(text, 2, 2);
    std::int64_t fraction = 0;
    if (take(text, ".")) {
        const auto before = text.size();
        fraction = take_digits(text, 1, 6);
        for (auto digits = before - text.size(); digits < 6; ++digits)
            fraction *= 10;
    }
    const bool east = text.starts_with("+");
    if (!east)
        require(text, "-");
    else
        require(text, "+");
    std::int64_t offset = take_digits(text, 2, 2) * 3600;
    if (take(text, ":")) offset += take_digits(text, 2, 2) * 60;
    if (take(text, ":")) offset += take_digits(text, 2, 2);
    if (!text.empty()) not_a("timestamp with time zone");

    seconds += east ? -offset : offset;
    seconds += sys_days(date).time_since_epoch().count() * std::int64_t{86400};
    return Timestamp(seconds * 1'000'000 + fraction);
}

} // namespace

std::int64_t int8_value(const Value &value) { return number<std::int64_t>(value, "bigint"); }
std::uint64_t xid8_value(const Value &value) { return number<std::uint64_t>(value, "xid8"); }

Timestamp timestamptz_value(const Value &value) {
    if (value.kind == ValueKind::text) return iso_timestamp(value.bytes);
    const auto since_2000 = number<std::int64_t>(value, "timestamp with time zone");
    using Limits = std::numeric_limits<std::int64_t>;
    // The ends of the range are Postgres's infinities.
    if (since_2000 == Limits::min() || since_2000 > Limits::max() - postgres_epoch)
        not_a("finite timestamp with time zone");
    return Timestamp(since_2000 + postgres_epoch);
}

std::string_view jsonb_text(const Value &value) {
    if (value.kind == ValueKind::text) return value.bytes;
    // jsonb_send(): a version, then the document's text.
    constexpr char version = 1;
    if (value.kind != ValueKind::binary || value.bytes.empty() || value.bytes.front() != version)
        not_a("jsonb");
    return value.bytes.substr(1);
}

} // namespace pgat::replication
