// `migrate`: brings schema async_triggers to this binary's version, or prints how.
#include "cli/program.hpp"

#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "outbox/migrations.hpp"

namespace pgat::cli {

namespace {

int apply(const config::Config &config, bool json) {
    auto session = postgres::Connection::open(session_options(config, "migrate"));
    const auto applied = outbox::migrate(session);
    const int version = outbox::schema_state(session).found;
    if (json) {
        fmt::print("{}\n",
                   nlohmann::ordered_json{{"applied", applied}, {"version", version}}.dump(2));
        return done;
    }
    for (const std::string &name : applied)
        fmt::print("applied {}\n", name);
    fmt::print("schema async_triggers is at version {}{}\n", version,
               applied.empty() ? " already" : "");
    return done;
}

} // namespace

void add_migrate(Program &program) {
    const auto print = std::make_shared<bool>(false);
    const auto json = std::make_shared<bool>(false);
    CLI::App &command =
        add_command(program, "migrate", "Create or update schema async_triggers in the database",
                    [&program, print, json] {
                        if (!*print) return apply(load_configuration(program), *json);
                        fmt::print("{}", outbox::migration_script());
                        return static_cast<int>(done);
                    });
    CLI::Option *const printing = command.add_flag(
        "--print", *print, "Write the SQL to standard output instead; needs no database");
    command.add_flag("--json", *json, "Write what was applied as a JSON object")
        ->excludes(printing);
}

} // namespace pgat::cli
