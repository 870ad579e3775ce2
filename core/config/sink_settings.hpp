// A sink's settings alone, for commands that need no daemon.
#pragma once

#include <string>

#include "config/config.hpp"
#include "config/environment.hpp"

namespace pgat::config {

// Reads a daemon's configuration file of which everything but `sink` is ignored, or a file that holds what
// stands under `sink` and nothing else. Variables and secrets are put in as by load(); the environment sets
// keys over a daemon's file only. The type is empty where the file names none. Throws as load() does.
Sink load_sink(const std::string &file, const Environment &environment);

} // namespace pgat::config
