#include "config/nearest.hpp"

#include <algorithm>
#include <limits>

namespace pgat::config {

namespace {

std::string_view last_name(std::string_view key) {
    const auto dot = key.rfind('.');
    return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

// In a key of the right name only the way to it is wrong, and "user" means "username": both count as
// nearer than the letters say.
std::size_t kinship(std::string_view key, std::string_view candidate) {
    const std::string_view name = last_name(key);
    const std::string_view other = last_name(candidate);
    if (name == other) return 2;
    const bool same_parent = key.substr(0, key.size() - name.size()) ==
                             candidate.substr(0, candidate.size() - other.size());
    const bool part =
        name.size() > 2 && other.size() > 2 &&
        (name.find(other) != std::string_view::npos || other.find(name) != std::string_view::npos);
    return same_parent && part ? 1 : std::numeric_limits<std::size_t>::max();
}

} // namespace

std::size_t edit_distance(std::string_view left, std::string_view right) {
    // Three rows of the table suffice: a swap looks two rows back.
    std::vector<std::size_t> before_last(right.size() + 1);
    std::vector<std::size_t> last(right.size() + 1);
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t j = 0; j <= right.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= left.size(); ++i) {
        before_last.swap(last);
        last.swap(row);
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
    }
    return row[right.size()];
}

std::string nearest(const std::string &key, const std::vector<std::string> &known) {
    std::string best;
    std::size_t best_distance = std::numeric_limits<std::size_t>::max();
    for (const std::string &candidate : known) {
        const std::size_t distance =
            std::min(edit_distance(key, candidate), kinship(key, candidate));
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

} // namespace pgat::config
