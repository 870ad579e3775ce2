// What did the operator mean? Edit distance between keys.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgat::config {

// The fewest insertions, deletions, replacements and swaps of neighbours that turn one into the other.
std::size_t edit_distance(std::string_view left, std::string_view right);

// The one of `known` (not empty) that is most like `key`; the first of equals. A key of the same name at
// another place counts as near.
std::string nearest(const std::string &key, const std::vector<std::string> &known);

} // namespace pgat::config
