// `run`: the daemon.
#include "daemon/run.hpp"
#include "cli/program.hpp"

namespace pgat::cli {

void add_run(Program &program) {
    const auto command = [&program] { return daemon::run(load_configuration(program)); };
    add_command(program, "run", "Stream and deliver until SIGTERM or SIGINT (the default)",
                command);
    program.command = command;
}

} // namespace pgat::cli
