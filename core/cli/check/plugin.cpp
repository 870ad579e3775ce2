#include <fmt/format.h>

#include "cli/check/checks.hpp"
#include "sinks/config_schema.hpp"
#include "sinks/plugin_search.hpp"

namespace pgat::cli::check {

void check_plugin(Report &report, const config::Sink &sink, const config::Plugins &plugins) {
    const auto directories = sinks::plugin_directories(plugins.directories);
    const sinks::Plugin &plugin = sinks::load_plugin(sink.type, directories);
    const auto problems = sinks::check_settings(plugin.schema, sink.settings, "sink");
    if (!problems.empty()) {
        report.fail("plugin", fmt::format("{} does not take this configuration:", plugin.type),
                    lines_of(sinks::to_text(problems, sink.places)));
        return;
    }
    report.ok("plugin",
              fmt::format("{} {} ({})", plugin.type, plugin.version, plugin.file.string()));
}

} // namespace pgat::cli::check
