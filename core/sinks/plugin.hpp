// A plugin that is loaded and may be used: its table has been read once, checked, and copied into
// C++.
//
// A library is never unloaded: threads, thread-local destructors and unique symbols of a plugin
// would outlive its code. So a Plugin lives as long as the process and is passed by reference. [any
// thread]
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <pgat/sink.h>

namespace pgat::sinks {

struct Plugin {
    std::filesystem::path file; // canonical
    std::string type;
    std::string version;
    std::string description;
    std::string license;
    std::uint32_t abi_minor = 0; // it was built with; the major is ours
    nlohmann::json schema;       // of its configuration, an object
    std::uint32_t max_batch = 0; // 0: no limit
    std::vector<std::string> warnings;
    const pgat_sink_plugin *table = nullptr;

    std::string abi() const;
};

// Loads one file, or returns what it was loaded as before. Throws Error with Remedy::configure
// whose text names the file, what is wrong (both versions, where they differ) and what to do.
const Plugin &load_plugin_file(const std::filesystem::path &file);

// Reads and checks the table a plugin's entry point returned. Throws like load_plugin_file().
Plugin read_table(const pgat_sink_plugin *table, const std::filesystem::path &file);

bool is_plugin_type(std::string_view type) noexcept;

} // namespace pgat::sinks
