// What a running daemon shows: all of one moment, for metrics, the status page and its history.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/identifiers.hpp"
#include "daemon/situation.hpp"
#include "daemon/supervisor.hpp"
#include "delivery/counts.hpp"

namespace pgat::daemon {

struct Readings {
    const delivery::DeliveryCounts &counts;
    Situation::View view;
    Timestamp now;
    Timestamp started;
    Timestamp oldest_undelivered; // of any stream, past half of the retention time; 0: none
    double lag_seconds = 0;

    // The phase, or "failover" while the sink is down or is given what waits.
    std::string_view state() const noexcept;
    // Undelivered events, at least.
    std::int64_t waiting() const noexcept;
};

// [any thread]
Readings read_now(const Supervisor &supervisor);

} // namespace pgat::daemon
