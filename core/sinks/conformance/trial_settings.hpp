// Settings to try a plugin with, made of its JSON Schema: good ones, and such as must be refused.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace pgat::conformance {

// An object with what is required, each by the schema's default, const, enum or first example. It need not fit
// the schema: what has none of these is left out.
nlohmann::json sample_of(const nlohmann::json &schema);

struct TrialSettings {
    nlohmann::json settings;
    std::string what; // as in "an unknown key", "url as a number"
    std::string key;  // the one that is wrong
};

// Each is `good` with one thing wrong that the schema speaks of: an unknown key where no others are allowed, a
// value of another type, a required key that is missing.
std::vector<TrialSettings> bad_settings(const nlohmann::json &schema, const nlohmann::json &good);

// Each is `good` with one text replaced by an odd one, and fits the schema.
std::vector<TrialSettings> odd_settings(const nlohmann::json &schema, const nlohmann::json &good);

// What is wrong with the schema itself: keywords of the wrong kind, defaults and examples that do not fit.
std::vector<std::string> schema_problems(const nlohmann::json &schema);

} // namespace pgat::conformance
