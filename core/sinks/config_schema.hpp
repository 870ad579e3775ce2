// Checking a sink's settings against its plugin's JSON Schema, so that a plugin meets only
// well-formed ones.
//
// The subset of 2020-12 that is checked: type, properties, required, additionalProperties, enum,
// const, minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength, pattern
// (ECMAScript without back-references), items, minItems, maxItems, oneOf, anyOf, and boolean
// schemas. `default` only documents. Any other keyword that could refuse something is a warning when
// the plugin is loaded: a newer plugin may know more than we do.
//
// A string's value never appears in a message, except where the schema itself lists what is
// allowed: it may be a secret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/config.hpp"

namespace pgat::sinks {

struct ConfigProblem {
    std::string key;  // in full, as in "sink.headers.accept" or "sink.brokers[2]"
    std::string what; // as in "must be a string, not a number"
};

// Everything wrong with `settings`; `key` is what they stand under. What is missing comes first.
std::vector<ConfigProblem> check_settings(const nlohmann::json &schema,
                                          const nlohmann::json &settings, std::string_view key);

// What of the schema will not be checked, and patterns that do not compile.
std::vector<std::string> schema_warnings(const nlohmann::json &schema);

// "key: what" for each, a line each; "file:line: key: what" where `places` knows the key, or one that it
// is below.
std::string to_text(const std::vector<ConfigProblem> &problems, const config::Places &places = {});

} // namespace pgat::sinks
