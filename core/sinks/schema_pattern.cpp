// gcc 12 takes std::regex's own code for reading what was never written, under the sanitizers.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <regex>

#include "sinks/schema_keywords.hpp"

namespace pgat::sinks {
namespace {

// libstdc++'s usual matcher recurses once a character and backtracks without end; this one does neither, and
// knows no back-references.
#if defined(__GLIBCXX__)
constexpr auto syntax = std::regex::ECMAScript | std::regex_constants::__polynomial;
#else
constexpr auto syntax = std::regex::ECMAScript;
#endif

} // namespace

std::optional<bool> matches(const std::string &pattern, const std::string &text) {
    try {
        return std::regex_search(text, std::regex(pattern, syntax));
    } catch (const std::regex_error &) {
        return std::nullopt;
    }
}

} // namespace pgat::sinks
