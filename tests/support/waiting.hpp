// Waiting for a condition, never for a time: the only way tests wait.
#pragma once

#include <chrono>
#include <functional>

namespace pgat::support {

// Asks `condition` every few milliseconds until it holds. False: it did not within `limit`.
bool eventually(const std::function<bool()> &condition,
                std::chrono::milliseconds limit = std::chrono::seconds(30));

} // namespace pgat::support
