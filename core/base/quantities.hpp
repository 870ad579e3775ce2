// Quantities as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pgat {

// A length of time in its two largest units: "12 s", "3 min 05 s", "2 h 14 min", "6 d 01 h".
std::string duration_text(std::int64_t seconds);

// "512 bytes", "1.5 GB".
std::string size_text(std::int64_t bytes);

// "12,345".
std::string count_text(std::int64_t count);

// "1 event", "12,345 events".
std::string count_text(std::int64_t count, std::string_view noun);

} // namespace pgat
