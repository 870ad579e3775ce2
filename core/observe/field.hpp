// A fact beside a log message: {"lsn", lsn} appears as lsn=16/B3 in text and as a member in JSON.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>

namespace pgat::observe {

// Owns its value's text; the key must be a literal.
class Field {
  public:
    Field(std::string_view key, std::string_view value) : key_(key), value_(value) {}
    Field(std::string_view key, const char *value) : key_(key), value_(value) {}
    Field(std::string_view key, const std::string &value) : key_(key), value_(value) {}
    // Numbers and truth values are such in JSON too; everything else that fmt prints (Lsn, Xid) is text.
    template <class T>
    Field(std::string_view key, const T &value)
        : key_(key), value_(fmt::format("{}", value)), bare_(std::is_arithmetic_v<T>) {}

    std::string_view key() const noexcept { return key_; }
    const std::string &value() const noexcept { return value_; }
    bool bare() const noexcept { return bare_; }

  private:
    std::string_view key_;
    std::string value_;
    bool bare_ = false;
};

using Fields = std::initializer_list<Field>;

} // namespace pgat::observe
