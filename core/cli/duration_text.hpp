// A length of time for people, in its two largest units: "12 s", "3 min 05 s", "2 h 14 min", "6 d 01 h".
#pragma once

#include <cstdint>
#include <string>

namespace pgat::cli {

std::string duration_text(std::int64_t seconds);

} // namespace pgat::cli
