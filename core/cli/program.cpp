#include "cli/program.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/terminal_text.hpp"
#include "config/connection_string.hpp"
#include "config/load.hpp"
#include "observe/log.hpp"
#include "outbox/migrations.hpp"

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

void require_schema(postgres::Connection &sql) {
    const auto state = outbox::schema_state(sql);
    if (state.found == 0)
        throw Error(Remedy::stop, "this database has no schema async_triggers")
            .with_hint(
                "see that stream.pg_connection names the right database; `migrate` makes the "
                "schema");
    if (state.newer_than_binary())
        throw Error(Remedy::stop,
                    fmt::format("schema async_triggers is at version {}, this program knows {}",
                                state.found, state.newest))
            .with_hint("use the program's newer version");
}

std::string command_line(const Program &program, const std::vector<std::string> &arguments) {
    std::vector<std::string> words = {program_name};
    if (!program.config_file.empty()) words.insert(words.end(), {"--config", program.config_file});
    words.insert(words.end(), arguments.begin(), arguments.end());
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789-_./:=+,@%";
    std::string line;
    for (const std::string &word : words) {
        if (!line.empty()) line += ' ';
        if (!word.empty() && word.find_first_not_of(plain) == word.npos) {
            line += word;
            continue;
        }
        line += '\'';
        for (const char c : word)
            line += c == '\'' ? std::string("'\\''") : std::string(1, c);
        line += '\'';
    }
    return line;
}

// For the terminal; but statements, which somebody will copy, as they are.
static std::string broken_at_spaces(std::string_view text) {
    const auto width = static_cast<std::size_t>(columns_of(STDERR_FILENO));
    std::string broken;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto indent = std::min(line.find_first_not_of(' '), line.size());
        if (line.ends_with(';') || width < indent + 30) {
            broken.append(printable(line)).append("\n");
            continue;
        }
        std::string space(indent, ' ');
        for (const std::string &part : wrap(line.substr(indent), width - indent - 2)) {
            broken.append(space).append(part).append("\n");
            space.resize(indent + 2, ' ');
        }
    }
    return broken;
}

int tell(const Error &error) {
    std::string text = fmt::format("{}: error: {}\n", program_name, error.text());
    if (isatty(STDERR_FILENO) != 0) text = broken_at_spaces(text);
    fmt::print(stderr, "{}", text);
    return error.remedy() == Remedy::configure ? bad_configuration : failed;
}

} // namespace pgat::cli
