// A number that cannot be mistaken for another kind of number: an xid is not an event id is not an
// LSN.
//
// Distinct<Tag, Rep> orders, compares and hashes like Rep, converts from and to it only by name,
// and has no arithmetic: what may be added to what is for each type to say.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>

#include <fmt/format.h>

namespace pgat {

template <class Tag, class Rep>
class Distinct {
  public:
    using rep = Rep;

    constexpr Distinct() noexcept = default;
    constexpr explicit Distinct(Rep value) noexcept : value_(value) {}

    constexpr Rep value() const noexcept { return value_; }
    constexpr auto operator<=>(const Distinct &) const noexcept = default;

  private:
    Rep value_{};
};

} // namespace pgat

template <class Tag, class Rep>
struct std::hash<pgat::Distinct<Tag, Rep>> {
    std::size_t operator()(pgat::Distinct<Tag, Rep> id) const noexcept {
        return std::hash<Rep>{}(id.value());
    }
};

template <class Tag, class Rep>
struct fmt::formatter<pgat::Distinct<Tag, Rep>> : fmt::formatter<Rep> {
    template <class Context>
    auto format(pgat::Distinct<Tag, Rep> id, Context &context) const {
        return fmt::formatter<Rep>::format(id.value(), context);
    }
};
