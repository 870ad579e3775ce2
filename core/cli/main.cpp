// The program: reads the command line, runs one command, turns what it throws into an exit status.
#include "cli/program.hpp"

#include <exception>
#include <optional>

#include <fmt/format.h>

#include "config/nearest.hpp"

namespace pgat::cli {

namespace {

void describe(Program &program) {
    CLI::App &app = program.app;
    app.name(program_name);
    app.description("Streams Postgres table changes to external systems, reliably.\n"
                    "Without a command it runs the daemon.");
    app.set_version_flag("--version", std::string(program_name) + " " PGAT_VERSION,
                         "Show the version and exit");
    app.set_help_flag("-h,--help", "Show this help and exit");
    app.add_option("-c,--config", program.config_file,
                   "The configuration file; default: $ASYNC_TRIGGERS_CONFIG, ./config.yaml,\n"
                   "/config.yaml, /etc/postgres-async-triggers/config.yaml")
        ->type_name("FILE");
    app.footer("Exit status: 0 done, 1 failed, 2 bad arguments or configuration.");
    app.require_subcommand(0, 1);
    add_run(program);
    add_check(program);
    add_status(program);
    add_migrate(program);
    add_plugins(program);
    add_subscriptions(program);
    add_replay(program);
    add_dead_letters(program);
    add_teardown(program);
}

// A word that no command takes, or the name of no command.
Error unexpected(const Program &program, const CLI::ExtrasError &error) {
    const auto words = program.app.remaining(true);
    const auto hint = fmt::format("see {} --help", program_name);
    if (words.empty()) return Error(Remedy::configure, error.what()).with_hint(hint);
    const std::string &word = words.front();
    if (word.starts_with('-') || !program.app.get_subcommands().empty())
        return Error(Remedy::configure, "unexpected argument " + word).with_hint(hint);
    std::vector<std::string> names;
    for (const CLI::App *command : program.app.get_subcommands({}))
        names.push_back(command->get_name());
    return Error(Remedy::configure, fmt::format("unknown command {}; did you mean {}?", word,
                                                config::nearest(word, names)))
        .with_hint(hint);
}

// The exit status, if the command line alone decides it; else Program::command is what to do.
std::optional<int> parse(Program &program, int argc, const char *const *argv) {
    try {
        program.app.parse(argc, argv);
        return std::nullopt;
    } catch (const CLI::Success &wanted) { // --help, --version
        program.app.exit(wanted);
        return done;
    } catch (const CLI::ExtrasError &error) {
        return tell(unexpected(program, error));
    } catch (const CLI::ParseError &error) {
        return tell(Error(Remedy::configure, error.what())
                        .with_hint(fmt::format("see {} --help", program_name)));
    }
}

int run_program(int argc, const char *const *argv) {
    Program program;
    describe(program);
    if (const auto status = parse(program, argc, argv)) return *status;
    return program.command();
}

} // namespace

} // namespace pgat::cli

int main(int argc, char **argv) {
    try {
        return pgat::cli::run_program(argc, argv);
    } catch (const pgat::Error &error) {
        return pgat::cli::tell(error);
    } catch (const std::exception &error) {
        return pgat::cli::tell(pgat::Error(pgat::Remedy::stop, error.what()));
    }
}
