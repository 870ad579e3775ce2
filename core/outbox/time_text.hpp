// Points in time as Postgres reads and prints them, exact to the microsecond whatever DateStyle and
// TimeZone the session has.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/identifiers.hpp"

namespace pgat::outbox {

// "2026-11-22 08:00:00.123456+00", a value that any session reads alike; the largest is "infinity".
std::string time_text(Timestamp time);

// "2026-11-22T08:00:00.123456Z", as programs and the command line read it (ISO 8601).
std::string iso_time_text(Timestamp time);

// The time that such a text names: a date, a "T" or a space, hours and minutes, seconds and their fraction if
// given, and always a zone: "Z" or an offset ("+01", "+0100", "+01:00"). Nothing: it is not one.
std::optional<Timestamp> parse_time(std::string_view text);

// SQL for a timestamptz expression as microseconds since 1970, a bigint.
inline std::string microseconds_of(std::string_view expression) {
    // extract() gives a numeric: nothing is rounded.
    return fmt::format("(extract(epoch from {}) * 1000000)::bigint", expression);
}

} // namespace pgat::outbox
