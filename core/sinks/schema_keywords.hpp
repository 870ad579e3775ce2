// How a keyword of a JSON Schema is found and read; for the two that read schemas, config_schema and
// schema_warnings.
#pragma once

#include <optional>
#include <regex>
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

// The pattern as it is matched; nothing if it is none that we can match.
inline std::optional<std::regex> compiled(const std::string &pattern) {
    try {
        return std::regex(pattern, std::regex::ECMAScript);
    } catch (const std::regex_error &) {
        return std::nullopt;
    }
}

} // namespace pgat::sinks
