// The paths of the endpoint, and what each answers: /, /status, /history, /metrics, /healthz, /readyz.
#pragma once

#include <map>
#include <string>

#include "config/config.hpp"
#include "daemon/status/history.hpp"
#include "daemon/supervisor.hpp"
#include "observe/endpoint.hpp"

namespace pgat::daemon {

// All that it is given outlives the pages.
std::map<std::string, observe::Endpoint::Make>
pages_of(const config::Config &config, const Supervisor &supervisor, const History &history);

} // namespace pgat::daemon
