// The daemon as the command line knows it.
#pragma once

#include "config/config.hpp"

namespace pgat::daemon {

// Streams and delivers until SIGTERM or SIGINT, on threads of its own; the calling thread takes the signals
// (they are blocked in all others). The exit status: 0 after a stop in order, 1 if it failed or had to be cut
// short, 2 for a configuration that can never work. Once a process.
int run(const config::Config &config);

} // namespace pgat::daemon
