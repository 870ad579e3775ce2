#include "sinks/text.hpp"

#include <algorithm>

#include <simdjson.h>

namespace pgat::sinks {
namespace {

// Length of the UTF-8 sequence that starts here, 0 if none does.
std::size_t sequence_length(std::string_view text) noexcept {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return length <= text.size() && simdjson::validate_utf8(text.data(), length) ? length : 0;
}

bool is_control(std::string_view sequence) noexcept {
    const auto lead = static_cast<unsigned char>(sequence.front());
    return lead < 0x20 || lead == 0x7F ||
           (lead == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0);
}

} // namespace

bool is_utf8(std::string_view text) noexcept {
    return text.empty() || simdjson::validate_utf8(text.data(), text.size());
}

std::string one_line(std::string_view text, std::size_t max) {
    std::string line;
    line.reserve(std::min(text.size(), max) + 3);
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (line.size() + std::max<std::size_t>(length, 1) > max) return line + "…";
        if (length == 0) {
            line += '?';
        } else if (is_control(text.substr(0, length))) {
            line += ' ';
        } else {
            line += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    while (!line.empty() && line.back() == ' ')
        line.pop_back();
    return line;
}

} // namespace pgat::sinks
