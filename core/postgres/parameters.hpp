// Values for the $1, $2, … of a statement, as text. Postgres infers or is told (`$1::bigint`) the
// types.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/identifiers.hpp"
#include "base/lsn.hpp"

namespace pgat::postgres {

class Parameter {
  public:
    Parameter(std::nullopt_t) {}
    Parameter(std::string text) : text_(std::move(text)) {}
    Parameter(std::string_view text) : text_(text) {}
    Parameter(const char *text) : text_(text) {}
    Parameter(Lsn lsn) : text_(lsn.text()) {}
    template <class T>
    requires std::integral<T> &&
        (!std::same_as<T, bool>)&&(!std::same_as<T, char>)Parameter(T number)
        : text_(std::to_string(number)) {}
    template <std::same_as<bool> T>
    Parameter(T truth) : text_(truth ? "true" : "false") {}
    template <class Tag, class Rep>
    Parameter(Distinct<Tag, Rep> id) : Parameter(id.value()) {}
    template <class T>
    Parameter(const std::optional<T> &value) {
        if (value) text_ = Parameter(*value).text_;
    }

    // nullptr for NULL.
    const char *c_str() const noexcept { return text_ ? text_->c_str() : nullptr; }

  private:
    std::optional<std::string> text_;
};

using Parameters = std::vector<Parameter>;

} // namespace pgat::postgres
