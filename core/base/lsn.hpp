// A position in the write-ahead log, Postgres's pg_lsn.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace pgat {

class Lsn {
  public:
    constexpr Lsn() noexcept = default;
    constexpr explicit Lsn(std::uint64_t value) noexcept : value_(value) {}

    // Reads Postgres's text form, "16/B374D848"; nothing if it is not one.
    static std::optional<Lsn> parse(std::string_view text) noexcept;

    constexpr std::uint64_t value() const noexcept { return value_; }
    // 0/0 is what Postgres calls the invalid LSN: no position.
    constexpr bool valid() const noexcept { return value_ != 0; }
    std::string text() const;

    // Bytes of WAL from `earlier` to here; 0 if `earlier` is not earlier.
    constexpr std::uint64_t bytes_since(Lsn earlier) const noexcept {
        return value_ > earlier.value_ ? value_ - earlier.value_ : 0;
    }

    constexpr auto operator<=>(const Lsn &) const noexcept = default;

  private:
    std::uint64_t value_ = 0;
};

} // namespace pgat

template <>
struct fmt::formatter<pgat::Lsn> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(pgat::Lsn lsn, Context &context) const {
        return fmt::format_to(context.out(), "{:X}/{:X}", lsn.value() >> 32,
                              lsn.value() & 0xFFFFFFFFU);
    }
};
