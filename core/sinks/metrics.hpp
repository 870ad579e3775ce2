// The counters and gauges that a plugin makes through its host, for the metrics page to read.
//
// Belongs to whoever keeps the sink and outlives its instances, so that a re-created plugin goes on
// counting. Metrics are never removed. [any thread]
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace pgat::sinks {

class Metrics {
  public:
    // Most metrics one sink may make: they must not grow with the data.
    static constexpr std::size_t limit = 128;

    template <class Value>
    struct Reading {
        std::string name;
        std::string help;
        Value value;
    };

    // The number, from 1, of the counter or gauge `name`, made if it is new. 0: the name is not of
    // the form [a-z][a-z0-9_]{0,63}, is the host's (calls_…), belongs to a metric of the other
    // kind, or there are too many.
    std::uint32_t counter(std::string_view name, std::string_view help);
    std::uint32_t gauge(std::string_view name, std::string_view help);

    // Both do nothing for a number that is not one of their kind.
    void add(std::uint32_t counter, std::uint64_t n) noexcept;
    void set(std::uint32_t gauge, double value) noexcept;

    // All gauges go to 0: what they measured is gone.
    void reset_gauges() noexcept;

    std::vector<Reading<std::uint64_t>> counters() const;
    std::vector<Reading<double>> gauges() const;

  private:
    enum class Kind { counter, gauge };
    struct Metric {
        std::string name;
        std::string help;
        Kind kind = Kind::counter;
        std::atomic<std::uint64_t> count{0};
        std::atomic<double> level{0};
    };

    std::uint32_t find_or_make(Kind kind, std::string_view name, std::string_view help);
    Metric *find(Kind kind, std::uint32_t number) noexcept;

    std::mutex making_;
    std::array<Metric, limit> metrics_; // the first count_ are in use; only their values change
    std::atomic<std::uint32_t> count_{0};
};

} // namespace pgat::sinks
