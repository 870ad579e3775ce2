#include <chrono>
#include <ctime>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "cli/check/checks.hpp"
#include "sinks/call_watch.hpp"
#include "sinks/config_schema.hpp"
#include "sinks/conformance/child.hpp"
#include "sinks/plugin_search.hpp"
#include "sinks/plugin_sink.hpp"

namespace pgat::cli::check {
namespace {

using namespace std::chrono_literals;
using conformance::Child;
using conformance::Finding;
using conformance::Mark;
using conformance::slate;

constexpr auto probe_limit = 3s;
// Beyond what the interface allows, as the machine may be busy.
constexpr auto late = sinks::CallWatch::grace + conformance::grace;
constexpr timespec between_looks{0, 10000000};

Finding failed(std::string_view what, std::string_view hint) {
    Finding finding{Mark::failed, std::string(what), {}};
    if (!hint.empty()) finding.advice.emplace_back(hint);
    return finding;
}

// Asks a sink that is made, and destroys it. Skipped: a warning.
Finding ask(const sinks::Plugin &plugin, std::unique_ptr<sinks::PluginSink> sink) {
    const std::string which =
        fmt::format("{} {} ({})", plugin.type, plugin.version, plugin.file.string());
    std::string reason;
    std::chrono::milliseconds retry_after{0};
    slate().enter(plugin.type + ".so: probe()", probe_limit + late,
                  "has not returned a second after its deadline");
    const auto status =
        sink->probe(std::chrono::steady_clock::now() + probe_limit, reason, retry_after);
    slate().enter(plugin.type + ".so: destroy()", sinks::CallWatch::destroy_limit + late,
                  "has not returned within a second");
    sink.reset();
    slate().leave();
    if (status == sinks::Status::ok)
        return {plugin.warnings.empty() ? Mark::ok : Mark::skipped, which, plugin.warnings};
    Finding finding{Mark::skipped,
                    fmt::format("{} does not take events now: {}", which, reason),
                    {"see to the receiver, and to the keys under sink that say where it is; "
                     "until it is back the daemon lets events wait in the table"}};
    finding.advice.insert(finding.advice.end(), plugin.warnings.begin(), plugin.warnings.end());
    return finding;
}

// What the daemon does with the plugin when it starts, and what it asks a sink that was away.
Finding try_plugin(const config::Sink &sink, const config::Plugins &plugins) {
    const auto begin = [&](const char *step) {
        slate().enter(sink.type + ".so: " + step, sinks::CallWatch::create_limit,
                      "has not returned within 10 s: it must not wait for the network");
    };
    try {
        begin("loading");
        const auto directories = sinks::plugin_directories(plugins.directories);
        const sinks::Plugin &plugin = sinks::load_plugin(sink.type, directories);
        const auto problems = sinks::check_settings(plugin.schema, sink.settings, "sink");
        if (!problems.empty())
            return failed(fmt::format("{} does not take this configuration:", plugin.type),
                          sinks::to_text(problems, sink.places));
        sinks::Metrics metrics;
        begin("create()");
        auto made =
            std::make_unique<sinks::PluginSink>(plugin, sink.settings, metrics, sink.places);
        return ask(plugin, std::move(made));
    } catch (const Error &error) {
        Finding finding = failed(error.what(), error.hint());
        if (error.remedy() == Remedy::retry) finding.mark = Mark::skipped;
        return finding;
    }
}

} // namespace

void check_plugin(Report &report, const config::Sink &sink, const config::Plugins &plugins) {
    // Away from here, as it runs what others wrote.
    Child child([&] { return try_plugin(sink, plugins); });
    while (!child.ended())
        ::nanosleep(&between_looks, nullptr);
    const Finding finding = child.finding();
    std::string below;
    for (const std::string &line : finding.advice)
        below += line + "\n";
    switch (finding.mark) {
    case Mark::ok:
        return report.ok("plugin", finding.reason);
    case Mark::skipped:
        return report.warn("plugin", finding.reason, lines_of(below));
    case Mark::failed:
        return report.fail("plugin", Error(Remedy::configure, finding.reason).with_hint(below));
    }
}

} // namespace pgat::cli::check
