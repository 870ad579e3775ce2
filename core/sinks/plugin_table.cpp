// Reading the table of a plugin that may be older, newer, or made by somebody who did not read the
// header.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "sinks/config_schema.hpp"
#include "sinks/plugin.hpp"
#include "sinks/text.hpp"

namespace pgat::sinks {
namespace {

constexpr std::size_t max_version = 64;
constexpr std::size_t max_line = 1000;
constexpr std::size_t max_schema = 1048576;
constexpr std::uint32_t max_struct = 65536;

[[noreturn]] void refuse(const std::filesystem::path &file, std::string_view why) {
    throw Error(Remedy::configure, fmt::format("{}: {}", file.string(), why));
}

std::string text_of(const std::filesystem::path &file, std::string_view member, pgat_str text,
                    std::size_t max) {
    if (text.ptr == nullptr && text.len != 0)
        refuse(file,
               fmt::format("its table's {} is NULL with a length of {}: the plugin is faulty, "
                           "report it to its author",
                           member, text.len));
    if (text.len > max)
        refuse(file, fmt::format("its table's {} is {} bytes long, at most {} are allowed: the "
                                 "plugin is faulty, report it to its author",
                                 member, text.len, max));
    const std::string_view view = from_abi(text);
    if (!is_utf8(view))
        refuse(file, fmt::format("its table's {} is not UTF-8: the plugin is faulty, report it to "
                                 "its author",
                                 member));
    return std::string(view);
}

void check_versions(const pgat_sink_plugin &table, const std::filesystem::path &file) {
    if (table.abi_major != PGAT_ABI_MAJOR)
        refuse(file, fmt::format("built for plugin ABI {}.{}, this daemon speaks {}.x: install a "
                                 "plugin built for ABI {}",
                                 table.abi_major, table.abi_minor, PGAT_ABI_MAJOR, PGAT_ABI_MAJOR));
    if (table.min_host_minor > PGAT_ABI_MINOR)
        refuse(file,
               fmt::format("needs plugin ABI {}.{} or later, this daemon speaks {}.{}: install "
                           "a newer daemon, or an older version of the plugin",
                           table.abi_major, table.min_host_minor, PGAT_ABI_MAJOR, PGAT_ABI_MINOR));
    // Everything up to here has its place in every version; the rest is what 1.0 defined, or more.
    constexpr std::size_t first_release =
        offsetof(pgat_sink_plugin, extension) + sizeof(pgat_sink_plugin::extension);
    if (table.struct_size < first_release || table.struct_size > max_struct)
        refuse(file,
               fmt::format("its table says it is {} bytes long, ABI {}.0 has {}: the plugin is "
                           "faulty, report it to its author",
                           table.struct_size, PGAT_ABI_MAJOR, first_release));
}

nlohmann::json schema_of(const std::filesystem::path &file, const std::string &text) {
    if (text.empty()) return nlohmann::json::object();
    auto schema = nlohmann::json::parse(text, nullptr, false);
    if (!schema.is_object())
        refuse(file,
               "its config_schema is not a JSON object: the plugin is faulty, report it to its "
               "author");
    return schema;
}

} // namespace

std::string Plugin::abi() const { return fmt::format("{}.{}", PGAT_ABI_MAJOR, abi_minor); }

bool is_plugin_type(std::string_view type) noexcept {
    const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
    return !type.empty() && type.size() <= 32 && lower(type.front()) &&
           std::all_of(type.begin(), type.end(),
                       [&](char c) { return lower(c) || (c >= '0' && c <= '9') || c == '_'; });
}

Plugin read_table(const pgat_sink_plugin *table, const std::filesystem::path &file) {
    if (table == nullptr)
        refuse(file,
               "pgat_sink_entry returned no table: the plugin is faulty, report it to its author");
    check_versions(*table, file);

    Plugin plugin;
    plugin.file = file;
    plugin.table = table;
    plugin.abi_minor = table->abi_minor;
    plugin.max_batch = table->max_batch;
    plugin.type = text_of(file, "type", table->type, max_line);
    plugin.version = one_line(text_of(file, "version", table->version, max_version), max_version);
    plugin.description =
        one_line(text_of(file, "description", table->description, max_line), max_line);
    plugin.license = one_line(text_of(file, "license", table->license, max_line), max_line);

    if (!is_plugin_type(plugin.type))
        refuse(file,
               "its type is not of the form [a-z][a-z0-9_]{0,31}: the plugin is faulty, report "
               "it to its author");
    for (const auto &[name, missing] : {std::pair{"create", table->create == nullptr},
                                        std::pair{"destroy", table->destroy == nullptr},
                                        std::pair{"publish", table->publish == nullptr}})
        if (missing)
            refuse(file,
                   fmt::format("its table has no function {}: the plugin is faulty, report it "
                               "to its author",
                               name));

    plugin.schema =
        schema_of(file, text_of(file, "config_schema", table->config_schema, max_schema));
    plugin.warnings = schema_warnings(plugin.schema);
    return plugin;
}

} // namespace pgat::sinks
