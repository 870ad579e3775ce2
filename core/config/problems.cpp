#include "config/problems.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"

namespace pgat::config {

void Problems::add(const std::string &place, const std::string &key, const std::string &text) {
    std::string line = place;
    if (!key.empty()) line += ": " + key;
    line += ": " + text;
    if (std::find(lines_.begin(), lines_.end(), line) == lines_.end())
        lines_.push_back(std::move(line));
}

void Problems::raise(const std::string &where) const {
    if (lines_.empty()) return;
    if (lines_.size() == 1) throw Error(Remedy::configure, lines_.front());
    throw Error(Remedy::configure, fmt::format("{} errors in {}:\n  {}", lines_.size(), where,
                                               fmt::join(lines_, "\n  ")));
}

} // namespace pgat::config
