// What stands under `sink` as the JSON object that the plugin is given.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "config/config.hpp"
#include "config/document.hpp"

namespace pgat::config {

// Keeps YAML's types: what is quoted is a string, the rest is read as YAML 1.2 does (null, true, false,
// numbers, else a string); secrets are strings always. `<secret>_file` becomes <secret>. Variables must be
// replaced already. Records problems under their full keys, which begin with `path`, and where each key
// was written.
nlohmann::json settings(const Node &node, const std::string &path, Places &places,
                        Problems &problems);

} // namespace pgat::config
