#include "sinks/plugin_search.hpp"

#include <algorithm>
#include <set>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "base/error.hpp"

namespace pgat::sinks {
namespace {

namespace fs = std::filesystem;

// The regular files *.so of a folder by name; none where the folder cannot be read.
std::vector<fs::path> shared_objects(const fs::path &directory) {
    std::vector<fs::path> files;
    std::error_code failed;
    for (fs::directory_iterator entry(directory, failed), end; !failed && entry != end;
         entry.increment(failed)) {
        std::error_code ignored;
        if (entry->path().extension() == ".so" && !entry->is_directory(ignored))
            files.push_back(entry->path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::string looked_in(std::span<const fs::path> directories) {
    std::vector<std::string> places;
    for (const fs::path &directory : directories) {
        std::error_code failed;
        const bool there = fs::is_directory(directory, failed);
        places.push_back(directory.string() + (there ? "" : " (no such folder)"));
    }
    return fmt::format("{}", fmt::join(places, ", "));
}

std::string found_in(std::span<const fs::path> directories) {
    std::set<std::string> types;
    for (const fs::path &directory : directories)
        for (const fs::path &file : shared_objects(directory))
            types.insert(file.stem().string());
    return fmt::format("{}", fmt::join(types, ", "));
}

PluginListing list(const fs::path &file) {
    PluginListing listing;
    listing.file = file;
    listing.type = file.stem().string();
    try {
        const Plugin &plugin = load_plugin_file(file);
        listing.file = plugin.file;
        listing.type = plugin.type;
        listing.version = plugin.version;
        listing.abi = plugin.abi();
        listing.description = plugin.description;
        listing.license = plugin.license;
        listing.warnings = plugin.warnings;
    } catch (const Error &error) {
        listing.problem = error.text();
    }
    return listing;
}

} // namespace

std::vector<fs::path> plugin_directories(const std::vector<std::string> &configured) {
    if (!configured.empty()) return {configured.begin(), configured.end()};
    std::error_code failed;
    const fs::path binary = fs::read_symlink("/proc/self/exe", failed);
    if (!failed) {
        const fs::path root = binary.parent_path().parent_path();
        for (const fs::path &place :
             {root / "plugins", root / "lib" / "postgres-async-triggers" / "plugins"}) {
            std::error_code ignored;
            if (fs::is_directory(place, ignored)) return {place};
        }
    }
    return {PGAT_PACKAGED_PLUGINS};
}

const Plugin &load_plugin(std::string_view type, std::span<const fs::path> directories) {
    if (!is_plugin_type(type))
        throw Error(Remedy::configure,
                    "sink.type: must be the name of a plugin: a lower-case letter, then up to 31 "
                    "lower-case letters, digits and underscores");
    for (const fs::path &directory : directories) {
        const fs::path file = directory / (std::string(type) + ".so");
        std::error_code failed;
        if (fs::symlink_status(file, failed).type() == fs::file_type::not_found) continue;
        const Plugin &plugin = load_plugin_file(file);
        for (const std::string &warning : plugin.warnings)
            spdlog::warn("plugin {}: {}", plugin.type, warning);
        return plugin;
    }
    const std::string found = found_in(directories);
    throw Error(Remedy::configure,
                fmt::format("sink.type: no plugin {0}: there is no {0}.so in {1}", type,
                            looked_in(directories)))
        .with_hint(found.empty()
                       ? std::string("set plugins.directory to the folder that has it")
                       : fmt::format("the plugins found are {}; set sink.type to one of them, or "
                                     "plugins.directory to the folder that has {}.so",
                                     found, type));
}

std::vector<PluginListing> list_plugins(std::span<const fs::path> directories) {
    std::vector<PluginListing> listings;
    for (const fs::path &directory : directories) {
        const auto earlier = listings.size();
        for (const fs::path &file : shared_objects(directory)) {
            PluginListing listing = list(file);
            const auto first = std::find_if(
                listings.begin(), listings.begin() + static_cast<std::ptrdiff_t>(earlier),
                [&](const PluginListing &other) { return other.file.stem() == file.stem(); });
            if (first != listings.begin() + static_cast<std::ptrdiff_t>(earlier) &&
                listing.problem.empty())
                listing.problem =
                    fmt::format("hidden by {}, whose folder comes first", first->file.string());
            listings.push_back(std::move(listing));
        }
    }
    return listings;
}

} // namespace pgat::sinks
