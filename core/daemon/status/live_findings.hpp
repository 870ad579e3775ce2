// What somebody should know of the running daemon: what it knows itself this moment, and what was looked up in the
// database last, put together so that nothing is told twice. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/readings.hpp"
#include "outbox/report/findings.hpp"

namespace pgat::daemon {

// The worst first. `ailment`: what is wrong with the program itself. `server`: for messages.
std::vector<outbox::Finding> live_findings(const Readings &now,
                                           const std::optional<std::string> &ailment,
                                           const std::string &server);

} // namespace pgat::daemon
