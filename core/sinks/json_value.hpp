// Reading one JSON value with simdjson On-Demand without losing what is written: its kind and its text.
// For json_lookup; kinds are those of the ABI, PGAT_JSON_*.
#pragma once

#include <cstdint>
#include <string_view>

#include <simdjson.h>

namespace pgat::sinks {

std::int32_t kind_of(simdjson::ondemand::json_type type) noexcept;

// The kind, PGAT_JSON_INVALID where it is not JSON. A string's text stands unescaped in the parser's buffer,
// any other value's as written in the document.
std::int32_t read_value(simdjson::ondemand::value &value, std::string_view &text);
// The same for a document that is a single value.
std::int32_t read_root(simdjson::ondemand::document &document, std::string_view &text);

// Whether all of a document is JSON, nothing before or after it; `source` is its text. Leaves it read to
// its end.
bool is_valid(simdjson::ondemand::document &document, std::string_view source);

// Follows an RFC 6901 pointer. PGAT_JSON_INVALID, PGAT_JSON_MISSING, or something positive and `value` is
// what it leads to. A document that is a single value has nothing to lead to, not even by "".
std::int32_t follow(simdjson::ondemand::document &document, std::string_view pointer,
                    simdjson::ondemand::value &value);

} // namespace pgat::sinks
