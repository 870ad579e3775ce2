// How a keyword of a JSON Schema is found and read; for the two that read schemas, config_schema and
// schema_warnings.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace pgat::sinks {

// The keyword's value if it is there and of the right kind, else null: a schema that is itself wrong checks
// nothing there.
inline const nlohmann::json *keyword(const nlohmann::json &schema, const char *name,
                                     bool (nlohmann::json::*is)() const noexcept) {
    const auto found = schema.find(name);
    return found != schema.end() && ((*found).*is)() ? &*found : nullptr;
}

// Whether an ECMAScript pattern is found in the text; nothing if it is no pattern that we can match.
std::optional<bool> matches(const std::string &pattern, const std::string &text);

} // namespace pgat::sinks
