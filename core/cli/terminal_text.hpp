// Text from elsewhere (payloads, what a receiver answered) on a terminal: one line, no wider than there is
// room, and no bytes that would command the terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgat::cli {

// The width of the terminal behind `fd`; 80 where it does not say.
int columns_of(int fd);

// Control characters and bytes that are no UTF-8 replaced.
std::string printable(std::string_view text);

// The beginning of `text` that takes no more than `columns`, with "…" as its last where something is left out;
// letters of double width count twice. The rest is as printable() makes it.
std::string fit(std::string_view text, std::size_t columns);

// `text` as printable() makes it, in lines of at most `columns`, broken at spaces; a longer word stands alone on its line,
// however long.
std::vector<std::string> wrap(std::string_view text, std::size_t columns);

// Whether `fd` is a terminal whose user wants colours (https://no-color.org).
bool coloured(int fd);

// A line for `fd`: cut to its width if it is a terminal.
std::string fit_to(int fd, std::string_view text);

} // namespace pgat::cli
