// How the commands show what they find: a mark, what it is, and below it, indented, what mends it.
//
//   WARN  wal_level: is replica, must be logical
//         ALTER SYSTEM SET wal_level = 'logical';
//
// On a terminal sentences are broken at spaces; statements and commands, which somebody will copy, never are. What comes
// from elsewhere commands no terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgat::cli {

enum class Mark { ok, warn, fail, problem, note };

// To standard output.
void print_finding(Mark mark, std::string_view what, const std::vector<std::string> &remedy);

// `text` within a colour of ECMA-48 ("1" bold, "31" red), if standard output wants colours.
std::string in_colour(std::string_view colour, std::string_view text);

// The width that standard output breaks its lines at: a terminal's, and none elsewhere.
std::size_t line_width();

} // namespace pgat::cli
