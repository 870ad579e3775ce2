#include "cli/duration_text.hpp"

#include <fmt/format.h>

namespace pgat::cli {

std::string duration_text(std::int64_t seconds) {
    if (seconds >= 86400) return fmt::format("{} d {:02} h", seconds / 86400, seconds / 3600 % 24);
    if (seconds >= 3600) return fmt::format("{} h {:02} min", seconds / 3600, seconds / 60 % 60);
    if (seconds >= 60) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
    return fmt::format("{} s", seconds);
}

} // namespace pgat::cli
