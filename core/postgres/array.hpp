// One-dimensional arrays in Postgres's text form, "{1,2}" and "{\"a\",NULL}", as parameters and as
// answers (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/distinct.hpp"

namespace pgat::postgres {

// Of numbers.
template <class Range>
std::string number_array(const Range &numbers) {
    std::string text = "{";
    for (const auto &number : numbers) {
        if (text.size() > 1) text += ',';
        text += fmt::format("{}", number);
    }
    return text += '}';
}

// Of texts, any bytes but NUL; nothing is NULL.
std::string text_array(const std::vector<std::optional<std::string_view>> &texts);

// The elements of an array of numbers, which has no quotes and no NULL. Throws Error (stop) if it is
// not one.
std::vector<std::string_view> split_number_array(std::string_view text);

} // namespace pgat::postgres
