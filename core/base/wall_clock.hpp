// The time of day, by this machine's clock: for people, never to decide by.
#pragma once

#include <chrono>

#include "base/identifiers.hpp"

namespace pgat {

inline Timestamp wall_clock() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return Timestamp(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

// From one to the other; negative if `later` is the earlier one.
inline double seconds_between(Timestamp earlier, Timestamp later) noexcept {
    return static_cast<double>(later.value() - earlier.value()) / 1e6;
}

} // namespace pgat
