// Where plugins are looked for, and what is there. Only the given folders are searched, each for
// <type>.so: never the working directory or the loader's path.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/plugin.hpp"

namespace pgat::sinks {

// The folders of `configured` (plugins.directory), or if it is empty the default: ../plugins beside
// the binary's folder if that exists, else the folder of the installed package.
std::vector<std::filesystem::path> plugin_directories(const std::vector<std::string> &configured);

// The plugin for sink.type, from the first folder that has it; logs its warnings. Throws Error with
// Remedy::configure: unknown, with what is found instead and where was looked, or found and
// refused.
const Plugin &load_plugin(std::string_view type,
                          std::span<const std::filesystem::path> directories);

// One .so of the folders, as `plugins` shows it.
struct PluginListing {
    std::filesystem::path file;
    std::string type; // from the file's name where the file could not be read
    std::string version;
    std::string abi;
    std::string description;
    std::string license;
    std::string problem; // why it cannot be used; empty: it can
    std::vector<std::string> warnings;
};

// Every .so in the folders, in the folders' order, then by name. Loads each of them.
std::vector<PluginListing> list_plugins(std::span<const std::filesystem::path> directories);

} // namespace pgat::sinks
