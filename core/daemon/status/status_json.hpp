// `/status`: the stream's report out of the database (the keys of `status --json`) with what the daemon knows itself,
// which is newer, and `live`, `sink`, `events_dead`, `log` beside it. Holds no payload and no secret.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/readings.hpp"
#include "daemon/status/history.hpp"
#include "observe/recent_lines.hpp"
#include "outbox/report/findings.hpp"

namespace pgat::daemon {

std::string status_json(const Readings &now, const std::vector<outbox::Finding> &findings,
                        const std::vector<observe::RecentLines::Line> &log, StreamId stream,
                        const std::string &sink_type, const std::string &server);

// `/history`: {"interval_seconds": 5, "samples": [[ms since 1970, delivered, rejected, lag in seconds, waiting,
// 1 if not streaming], …]}.
std::string history_json(const std::vector<History::Sample> &samples);

} // namespace pgat::daemon
