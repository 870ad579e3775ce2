// `plugins check FILE.so`, for authors of sinks.
#pragma once

#include "cli/program.hpp"

namespace pgat::cli {

// Below `plugins`.
void add_plugin_check(Program &program, CLI::App &plugins);

} // namespace pgat::cli
