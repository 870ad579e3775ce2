// Text that came out of a plugin, made fit for a log line, a table or a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <pgat/sink.h>

namespace pgat::sinks {

// Most bytes of a reason or a log line that are kept.
constexpr std::size_t max_reason = 2000;
constexpr std::size_t max_log_line = 8000;

bool is_utf8(std::string_view text) noexcept;

// One line of valid UTF-8: control characters become spaces, bytes that are no UTF-8 become '?',
// and what is longer than `max` bytes ends in "…".
std::string one_line(std::string_view text, std::size_t max);

inline pgat_str to_abi(std::string_view text) noexcept { return {text.data(), text.size()}; }

// The plugin's text; empty where it handed over NULL with a length, which the ABI forbids.
inline std::string_view from_abi(pgat_str text) noexcept {
    return text.ptr == nullptr ? std::string_view() : std::string_view(text.ptr, text.len);
}

} // namespace pgat::sinks
