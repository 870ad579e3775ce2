// The sink is down: what an operator wants to know of it. A value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/identifiers.hpp"

namespace pgat::delivery {

struct Outage {
    Timestamp since;    // of the first of the calls that failed, by this machine's clock
    std::string reason; // of the last of them
    std::uint32_t failed_calls = 0;
    std::chrono::steady_clock::time_point next_attempt{};
};

} // namespace pgat::delivery
