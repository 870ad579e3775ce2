// Every key of the configuration outside a sink's own settings, and how each reaches its member of Config.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/document.hpp"

namespace pgat::config {

struct Key {
    std::string path;
    // Throws BadValue for a value that the key cannot take. Never called for an empty (null) value, which
    // means the default.
    std::function<void(Config &, const Node &)> set;
    // The full key that must not be set beside this one, or empty.
    std::string excludes{};
};

const std::vector<Key> &keys();
const Key *find_key(const std::string &path);
// Whether keys begin with `path` and a dot.
bool is_section(const std::string &path);
// Keys and sections, for finding the one that was meant.
std::vector<std::string> known_paths();

// The environment variable that sets a key: ASYNC_TRIGGERS_STREAM__ID for stream.id.
std::string variable_of(const std::string &path);

} // namespace pgat::config
