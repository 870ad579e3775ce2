// The configuration from its file and the environment.
#pragma once

#include <string>

#include "config/config.hpp"
#include "config/environment.hpp"

namespace pgat::config {

// The file to read: `named` (from --config) if not empty, else $ASYNC_TRIGGERS_CONFIG, else the first that
// exists of ./config.yaml, /config.yaml and /etc/postgres-async-triggers/config.yaml, else empty.
std::string find_file(const std::string &named, const Environment &environment);

// Reads `file` and what the environment sets over it. An empty `file` is right if the environment sets
// keys. Throws one Error (Remedy::configure) that names everything wrong, each with file and line or
// variable, full key and, for an unknown one, the nearest that exists. Holds no value of a secret.
Config load(const std::string &file, const Environment &environment);

} // namespace pgat::config
