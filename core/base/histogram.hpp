// How often values of each size were seen: fixed bounds, counted by any thread, read by any.
//
// An observation is a short search and two additions. A reading made meanwhile may lack it in part.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pgat {

template <std::size_t N>
class Histogram {
  public:
    // Ascending; a value belongs to the first bound that is not below it.
    explicit Histogram(const std::array<double, N> &bounds) : bounds_(bounds) {}

    void observe(double value) noexcept {
        const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
        counts_[static_cast<std::size_t>(bound - bounds_.begin())].fetch_add(
            1, std::memory_order_relaxed);
        auto sum = sum_.load(std::memory_order_relaxed);
        while (!sum_.compare_exchange_weak(sum, sum + value, std::memory_order_relaxed)) {
        }
    }

    const std::array<double, N> &bounds() const noexcept { return bounds_; }
    // Of each bucket alone; the last is for what is above all bounds.
    std::array<std::uint64_t, N + 1> counts() const noexcept {
        std::array<std::uint64_t, N + 1> read{};
        for (std::size_t i = 0; i <= N; ++i)
            read[i] = counts_[i].load(std::memory_order_relaxed);
        return read;
    }
    double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

  private:
    const std::array<double, N> bounds_;
    std::array<std::atomic<std::uint64_t>, N + 1> counts_{};
    std::atomic<double> sum_{0};
};

} // namespace pgat
