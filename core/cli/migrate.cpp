// `migrate`: brings schema async_triggers to this binary's version, or prints how.
#include "cli/program.hpp"

#include <memory>

#include <fmt/format.h>

#include "outbox/migrations.hpp"

namespace pgat::cli {

namespace {

int apply(const config::Config &config) {
    auto session = postgres::Connection::open(session_options(config, "migrate"));
    const auto applied = outbox::migrate(session);
    for (const std::string &name : applied)
        fmt::print("applied {}\n", name);
    const int version = outbox::schema_state(session).found;
    fmt::print("schema async_triggers is at version {}{}\n", version,
               applied.empty() ? " already" : "");
    return done;
}

} // namespace

void add_migrate(Program &program) {
    const auto print = std::make_shared<bool>(false);
    CLI::App &command =
        add_command(program, "migrate", "Create or update schema async_triggers in the database",
                    [&program, print] {
                        if (!*print) return apply(load_configuration(program));
                        fmt::print("{}", outbox::migration_script());
                        return static_cast<int>(done);
                    });
    command.add_flag("--print", *print,
                     "Write the SQL to standard output instead; needs no database");
}

} // namespace pgat::cli
