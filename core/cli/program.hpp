// What the commands share: the command line, the configuration, the way an error is told.
//
// A command is one file with one add_…() function, which describes it to CLI11 and leaves what it does
// in Program::command, to be run once all arguments are known to be good.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/error.hpp"
#include "config/config.hpp"
#include "config/environment.hpp"
#include "postgres/connection.hpp"

namespace pgat::cli {

inline constexpr const char *program_name = "postgres-async-triggers";

enum ExitStatus {
    done = 0,
    failed = 1,
    bad_configuration = 2, // or bad arguments: a restart would not help
};

struct Program {
    CLI::App app;
    std::string config_file;      // --config
    std::function<int()> command; // its exit status
    config::Environment environment = config::Environment::of_process();
};

void add_run(Program &program);
void add_check(Program &program);
void add_status(Program &program);
void add_migrate(Program &program);
void add_plugins(Program &program);
void add_subscriptions(Program &program);
void add_replay(Program &program);
void add_dead_letters(Program &program);
void add_teardown(Program &program);

// Adds a command that takes --config too; its options are the caller's to add.
CLI::App &add_command(Program &program, const std::string &name, const std::string &description,
                      std::function<int()> command);

// The configuration, and logging set up by it. Throws Error (Remedy::configure).
config::Config load_configuration(const Program &program);

// A session for a command that does its work and ends; `command` names it in pg_stat_activity.
postgres::SessionOptions session_options(const config::Config &config, std::string_view command);

// Throws Error (stop) if schema async_triggers is not there, or newer than this binary.
void require_schema(postgres::Connection &sql);

// The command line that runs this program with this configuration and `arguments`, quoted for a shell.
std::string command_line(const Program &program, const std::vector<std::string> &arguments);

// Writes "postgres-async-triggers: error: …" and the hint to standard error; the exit status for it.
int tell(const Error &error);

} // namespace pgat::cli
