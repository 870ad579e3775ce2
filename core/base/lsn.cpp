#include "base/lsn.hpp"

#include <charconv>

namespace pgat {

namespace {

std::optional<std::uint64_t> parse_half(std::string_view hex) noexcept {
    if (hex.empty() || hex.size() > 8) return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
    if (failure != std::errc{} || end != hex.data() + hex.size()) return std::nullopt;
    return value;
}

} // namespace

std::optional<Lsn> Lsn::parse(std::string_view text) noexcept {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto high = parse_half(text.substr(0, slash));
    const auto low = parse_half(text.substr(slash + 1));
    if (!high || !low) return std::nullopt;
    return Lsn((*high << 32) | *low);
}

std::string Lsn::text() const { return fmt::format("{}", *this); }

} // namespace pgat
