// What delivery has done since the daemon started. Written by the delivery thread once a call of the sink, read
// by any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/histogram.hpp"
#include "base/identifiers.hpp"

namespace pgat::delivery {

inline constexpr std::array<double, 15> call_bounds{
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60};
inline constexpr std::array<double, 11> delay_bounds{0.005, 0.01, 0.05, 0.1, 0.5, 1,
                                                     5,     15,   60,   600, 3600};
inline constexpr std::array<double, 10> batch_bounds{1,   5,    10,   50,   100,
                                                     500, 1000, 2500, 5000, 10000};

struct DeliveryCounts {
    std::atomic<std::uint64_t> delivered{0}; // replayed events included
    std::atomic<std::uint64_t> replayed{0};  // delivered from the table
    std::atomic<std::uint64_t> retried{0};
    std::atomic<std::uint64_t> rejected{0};
    std::atomic<std::uint64_t> calls{0};
    std::atomic<std::uint64_t> failed_calls{0};
    // When the first event in hand that is not settled was written; 0: none is in hand.
    std::atomic<Timestamp::rep> in_hand_since{0};
    Histogram<call_bounds.size()> call_seconds{call_bounds};
    Histogram<batch_bounds.size()> batch_events{batch_bounds}; // offered in one call
    // From an event's writing to its delivery, of the first one of each call that delivered something.
    Histogram<delay_bounds.size()> delay_seconds{delay_bounds};
};

} // namespace pgat::delivery
