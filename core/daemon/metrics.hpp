// What the daemon counts, in the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/).
#pragma once

#include <string>

#include "daemon/supervisor.hpp"

namespace pgat::daemon {

// [any thread] As of now; every value with the label `stream`.
std::string metrics_text(const Supervisor &supervisor, StreamId stream);

} // namespace pgat::daemon
