// `plugins`: what there is in the plugin folders, and why something there cannot be used.
#include "cli/program.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/plugin_check/command.hpp"
#include "config/load.hpp"
#include "sinks/plugin_search.hpp"

namespace pgat::cli {

namespace {

// A broken configuration must not hide the plugins, unless it was asked for by name.
std::vector<std::string> configured_directories(const Program &program) {
    const std::string file = config::find_file(program.config_file, program.environment);
    try {
        return load_configuration(program).plugins.directories;
    } catch (const Error &error) {
        if (!program.config_file.empty()) throw;
        if (!file.empty())
            fmt::print(stderr, "{}: warning: {}\n  showing the default folder instead\n",
                       program_name, error.what());
        return {};
    }
}

nlohmann::ordered_json to_json(const sinks::PluginListing &plugin) {
    return {{"type", plugin.type},
            {"version", plugin.version},
            {"abi", plugin.abi},
            {"file", plugin.file.string()},
            {"description", plugin.description},
            {"license", plugin.license},
            {"usable", plugin.problem.empty()},
            {"problem", plugin.problem},
            {"warnings", plugin.warnings}};
}

void print_table(const std::vector<sinks::PluginListing> &plugins) {
    std::size_t type = 4;
    std::size_t version = 7;
    for (const auto &plugin : plugins) {
        type = std::max(type, plugin.type.size());
        version = std::max(version, plugin.version.size());
    }
    fmt::print("{:<{}}  {:<{}}  {:<4}  FILE\n", "TYPE", type, "VERSION", version, "ABI");
    const auto or_dash = [](const std::string &text) { return text.empty() ? "-" : text; };
    for (const auto &plugin : plugins) {
        fmt::print("{:<{}}  {:<{}}  {:<4}  {}\n", or_dash(plugin.type), type,
                   or_dash(plugin.version), version, or_dash(plugin.abi), plugin.file.string());
        if (!plugin.problem.empty())
            fmt::print("  CANNOT BE USED: {}\n", plugin.problem);
        else if (!plugin.description.empty())
            fmt::print("  {}\n", plugin.description);
        for (const auto &warning : plugin.warnings)
            fmt::print("  warning: {}\n", warning);
    }
}

int list(const Program &program, bool json) {
    const auto directories = sinks::plugin_directories(configured_directories(program));
    const auto plugins = sinks::list_plugins(directories);
    if (json) {
        auto array = nlohmann::ordered_json::array();
        for (const auto &plugin : plugins)
            array.push_back(to_json(plugin));
        fmt::print("{}\n",
                   array.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    } else if (plugins.empty()) {
        fmt::print("no plugins; looked in:\n");
        for (const auto &directory : directories)
            fmt::print("  {}\n", directory.string());
    } else {
        print_table(plugins);
    }
    return done;
}

} // namespace

void add_plugins(Program &program) {
    const auto json = std::make_shared<bool>(false);
    CLI::App &command =
        add_command(program, "plugins", "List the sinks that are installed, or check one", nullptr);
    // Runs after that of a command below.
    command.callback([&program, &command, json] {
        if (command.get_subcommands().empty())
            program.command = [&program, json] { return list(program, *json); };
    });
    command.require_subcommand(0, 1);
    command.add_flag("--json", *json, "Write a JSON array");
    add_plugin_check(program, command);
}

} // namespace pgat::cli
