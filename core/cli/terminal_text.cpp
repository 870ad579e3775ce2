#include "cli/terminal_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include <sys/ioctl.h>
#include <unistd.h>

namespace pgat::cli {

namespace {

struct Letter {
    std::string_view bytes;
    std::size_t columns;
};

struct Range {
    std::uint32_t first;
    std::uint32_t last;
};

// Roughly the East Asian Wide and Fullwidth blocks of Unicode, and emoji.
constexpr std::array<Range, 10> wide = {{{0x1100, 0x115F},
                                         {0x2E80, 0xA4CF},
                                         {0xAC00, 0xD7A3},
                                         {0xF900, 0xFAFF},
                                         {0xFE30, 0xFE6F},
                                         {0xFF00, 0xFF60},
                                         {0xFFE0, 0xFFE6},
                                         {0x1F300, 0x1F64F},
                                         {0x1F680, 0x1FAFF},
                                         {0x20000, 0x3FFFD}}};

std::size_t columns_of_letter(std::uint32_t letter) {
    if (letter >= 0x300 && letter <= 0x36F) return 0; // combining
    for (const auto &range : wide)
        if (letter >= range.first && letter <= range.last) return 2;
    return 1;
}

std::size_t length_of_sequence(unsigned char first) {
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first < 0xE0) return 2;
    if (first >= 0xE0 && first < 0xF0) return 3;
    if (first >= 0xF0 && first < 0xF5) return 4;
    return 0;
}

// The first letter; nothing: these bytes are not one to be shown.
std::optional<Letter> first_letter(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = length_of_sequence(first);
    if (length == 0 || length > text.size()) return std::nullopt;
    std::uint32_t letter = length == 1 ? first : first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0U) != 0x80) return std::nullopt;
        letter = letter << 6U | (byte & 0x3FU);
    }
    const bool control = letter < 0x20 || (letter >= 0x7F && letter < 0xA0);
    // Marks that turn the direction of writing around would show a text as another.
    const bool turns =
        (letter >= 0x202A && letter <= 0x202E) || (letter >= 0x2066 && letter <= 0x2069);
    if (control || turns) return std::nullopt;
    return Letter{text.substr(0, length), columns_of_letter(letter)};
}

std::size_t columns_of_text(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const auto letter = first_letter(text);
        columns += letter ? letter->columns : 1;
        text.remove_prefix(letter ? letter->bytes.size() : 1);
    }
    return columns;
}

} // namespace

int columns_of(int fd) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

std::string fit(std::string_view text, std::size_t columns) {
    std::string line;
    std::size_t used = 0;
    std::size_t room_for_mark = 0; // how much of `line` stays if a mark has to follow
    while (!text.empty()) {
        const auto letter = first_letter(text);
        const std::size_t width = letter ? letter->columns : 1;
        if (used + width > columns) {
            line.resize(room_for_mark);
            return line += columns == 0 ? "" : "…";
        }
        line += letter ? letter->bytes : std::string_view(text.front() == '\n' ? " " : "?");
        text.remove_prefix(letter ? letter->bytes.size() : 1);
        used += width;
        if (used < columns) room_for_mark = line.size();
    }
    return line;
}

std::string printable(std::string_view text) { return fit(text, SIZE_MAX); }

std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
    const std::string all = printable(text);
    std::vector<std::string> lines;
    std::size_t used = 0;
    for (std::string_view rest = all; !rest.empty();) {
        const auto end = std::min(rest.find(' '), rest.size());
        const std::string_view word = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const std::size_t width = columns_of_text(word);
        if (lines.empty() || used + 1 + width > columns) {
            lines.emplace_back(word);
            used = width;
        } else {
            lines.back().append(" ").append(word);
            used += 1 + width;
        }
    }
    return lines;
}

bool coloured(int fd) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it
    const char *const plain = std::getenv("NO_COLOR");
    return isatty(fd) != 0 && (plain == nullptr || *plain == '\0');
}

std::string fit_to(int fd, std::string_view text) {
    return isatty(fd) != 0 ? fit(text, static_cast<std::size_t>(columns_of(fd))) : printable(text);
}

} // namespace pgat::cli
