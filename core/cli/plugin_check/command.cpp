#include "cli/plugin_check/command.hpp"

#include <filesystem>
#include <memory>
#include <system_error>

#include <fmt/format.h>

#include "cli/plugin_check/report.hpp"
#include "config/nearest.hpp"
#include "config/sink_settings.hpp"
#include "sinks/conformance/conformance.hpp"

namespace pgat::cli {
namespace {

namespace fs = std::filesystem;

struct Choice {
    std::string file;
    conformance::Options options;
    bool json = false;
};

// The folder without links, as the daemon judges it.
fs::path in_its_folder(const std::string &file) {
    std::error_code failed;
    const fs::path folder = fs::canonical(
        fs::path(file).has_parent_path() ? fs::path(file).parent_path() : ".", failed);
    const bool there = !failed && fs::exists(folder / fs::path(file).filename(), failed);
    if (!there)
        throw Error(Remedy::configure, fmt::format("there is no file {}", file))
            .with_hint("name the plugin's .so, as in ./build/mysink.so");
    return folder / fs::path(file).filename();
}

void require_checks(const std::vector<std::string> &names) {
    for (const std::string &name : names)
        if (!conformance::is_check(name))
            throw Error(Remedy::configure,
                        fmt::format("there is no check {}; did you mean {}?", name,
                                    config::nearest(name, conformance::check_names())))
                .with_hint("their names stand behind each line of `plugins check`");
}

conformance::Subject subject_of(const Program &program, const Choice &choice) {
    conformance::Subject subject;
    subject.file = in_its_folder(choice.file);
    if (program.config_file.empty()) return subject;
    config::Sink sink = config::load_sink(program.config_file, program.environment);
    const std::string type = subject.file.stem().string();
    if (!sink.type.empty() && sink.type != type)
        throw Error(Remedy::configure, fmt::format("{}: sink.type is {}, the plugin to check is {}",
                                                   program.config_file, sink.type, type))
            .with_hint("name a configuration for this plugin, or leave out sink.type");
    subject.settings_given = true;
    subject.settings = std::move(sink.settings);
    subject.places = std::move(sink.places);
    return subject;
}

int check(const Program &program, const Choice &choice) {
    require_checks(choice.options.only);
    const conformance::Subject subject = subject_of(program, choice);
    plugin_check::Report report(choice.file);
    const auto outcome =
        conformance::run(subject, choice.options, [&](const conformance::Result &result) {
            if (!choice.json) report.add(result);
        });
    if (choice.json)
        fmt::print("{}\n", plugin_check::to_json(choice.file, outcome));
    else
        report.end(outcome, choice.options.require_delivery);
    return outcome.count(conformance::Mark::failed) == 0 ? done : failed;
}

} // namespace

void add_plugin_check(Program &program, CLI::App &plugins) {
    const auto choice = std::make_shared<Choice>();
    CLI::App &command = *plugins.add_subcommand(
        "check", "Try a sink that you write against the rules of the plugin interface");
    command.fallthrough();
    command.callback([&program, choice] {
        program.command = [&program, choice] { return check(program, *choice); };
    });
    command.add_option("FILE", choice->file, "The plugin, <type>.so")->required()->type_name("");
    command.add_option("--only", choice->options.only, "These checks or groups alone")
        ->type_name("NAME")
        ->delimiter(',')
        ->allow_extra_args(false);
    command.add_flag("--require-delivery", choice->options.require_delivery,
                     "Fail if not even one event was delivered");
    command.add_flag("--json", choice->json, "Write a JSON object");
    command.footer(
        "--config FILE gives the sink's settings: a daemon's configuration, or what stands under\n"
        "sink alone. Without it the sink is tried with no settings, or with its schema's defaults\n"
        "and examples. Events are really sent: name a receiver that is there for tests.\n"
        "Each check has a process of its own, so that a crash or a hang is one check's failure.\n"
        "Exit status: 0 none failed, 1 one failed, 2 bad arguments or settings.\n"
        "Example: postgres-async-triggers plugins check ./build/mysink.so --config test.yaml");
}

} // namespace pgat::cli
