// Points in time as Postgres reads and prints them, exact to the microsecond whatever DateStyle and
// TimeZone the session has.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/identifiers.hpp"

namespace pgat::outbox {

// "2026-11-22 08:00:00.123456+00", a value that any session reads alike; the largest is "infinity".
std::string time_text(Timestamp time);

// "2026-11-22T08:00:00.123456Z", as programs and the command line read it (ISO 8601).
std::string iso_time_text(Timestamp time);

// SQL for a timestamptz expression as microseconds since 1970, a bigint.
inline std::string microseconds_of(std::string_view expression) {
    // extract() gives a numeric: nothing is rounded.
    return fmt::format("(extract(epoch from {}) * 1000000)::bigint", expression);
}

} // namespace pgat::outbox
