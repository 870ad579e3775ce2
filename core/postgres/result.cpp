#include "postgres/result.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/error.hpp"

namespace pgat::postgres {

namespace {

[[noreturn]] void not_a(std::string_view kind, std::string_view text) {
    throw Error(Remedy::stop,
                fmt::format("Postgres answered \"{}\" where {} was expected", text, kind));
}

template <class Number>
Number number(std::string_view text) {
    Number value{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) not_a("a number", text);
    return value;
}

} // namespace

std::uint64_t Result::affected() const {
    const std::string_view text = PQcmdTuples(result_.get());
    return text.empty() ? 0 : number<std::uint64_t>(text);
}

bool Result::null(int row, int column) const noexcept {
    return PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view Result::text(int row, int column) const noexcept {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::optional<std::string_view> Result::value(int row, int column) const noexcept {
    if (null(row, column)) return std::nullopt;
    return text(row, column);
}

std::int64_t Result::integer(int row, int column) const {
    return number<std::int64_t>(text(row, column));
}

std::uint64_t Result::unsigned_integer(int row, int column) const {
    return number<std::uint64_t>(text(row, column));
}

bool Result::boolean(int row, int column) const {
    const auto written = text(row, column);
    if (written == "t") return true;
    if (written == "f") return false;
    not_a("a boolean", written);
}

Lsn Result::lsn(int row, int column) const {
    const auto position = Lsn::parse(text(row, column));
    if (!position) not_a("a WAL position", text(row, column));
    return *position;
}

} // namespace pgat::postgres
