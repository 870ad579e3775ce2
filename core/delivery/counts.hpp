// What delivery has done since the daemon started. Written by the delivery thread, read by any.
#pragma once

#include <atomic>
#include <cstdint>

namespace pgat::delivery {

struct DeliveryCounts {
    std::atomic<std::uint64_t> delivered{0}; // replayed events included
    std::atomic<std::uint64_t> retried{0};
    std::atomic<std::uint64_t> rejected{0};
    std::atomic<std::uint64_t> calls{0};
    std::atomic<std::uint64_t> failed_calls{0};
};

} // namespace pgat::delivery
