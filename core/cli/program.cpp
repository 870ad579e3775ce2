#include "cli/program.hpp"

#include <fmt/format.h>

#include "config/connection_string.hpp"
#include "config/load.hpp"
#include "observe/log.hpp"

namespace pgat::cli {

CLI::App &add_command(Program &program, const std::string &name, const std::string &description,
                      std::function<int()> command) {
    CLI::App *added = program.app.add_subcommand(name, description);
    added->fallthrough();
    added->footer(fmt::format("--config FILE as in {} --help.", program_name));
    added->callback([&program, command = std::move(command)] { program.command = command; });
    return *added;
}

config::Config load_configuration(const Program &program) {
    const std::string file = config::find_file(program.config_file, program.environment);
    config::Config config = config::load(file, program.environment);
    observe::set_up_logging(config.log);
    return config;
}

postgres::SessionOptions session_options(const config::Config &config, std::string_view command) {
    postgres::SessionOptions options;
    options.keywords = config::connection_parameters(config.stream.pg_connection);
    options.keywords.emplace_back("application_name", fmt::format("{} {}", program_name, command));
    options.settings = {{"lock_timeout", "5s"}, {"client_min_messages", "warning"}};
    return options;
}

int tell(const Error &error) {
    fmt::print(stderr, "{}: error: {}\n", program_name, error.text());
    return error.remedy() == Remedy::configure ? bad_configuration : failed;
}

} // namespace pgat::cli
