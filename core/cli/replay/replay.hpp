// The delivery of a range of stored events.
#pragma once

#include "cli/program.hpp"
#include "cli/replay/range.hpp"

namespace pgat::cli::replay {

struct Choice {
    RangeWords range;
    bool dry_run = false;
    bool yes = false;
    bool json = false;
};

// Its exit status.
int replay(const Program &program, const config::Config &config, const Choice &choice);

} // namespace pgat::cli::replay
