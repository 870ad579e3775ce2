// The counters that a plugin makes through its host, for the metrics page to read.
//
// Belongs to whoever keeps the sink and outlives its instances, so that a re-created plugin goes on
// counting. Counters are never removed. [any thread]
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace pgat::sinks {

class Counters {
  public:
    // Most counters one sink may make: metrics must not grow with the data.
    static constexpr std::size_t limit = 128;

    struct Reading {
        std::string name;
        std::string help;
        std::uint64_t value;
    };

    // The number, from 1, of the counter `name`, made if it is new. 0: the name is not of the form
    // [a-z][a-z0-9_]{0,63}, or there are too many.
    std::uint32_t find_or_make(std::string_view name, std::string_view help);
    // Does nothing for a number that find_or_make() did not return.
    void add(std::uint32_t counter, std::uint64_t n) noexcept;
    std::vector<Reading> read() const;

  private:
    struct Counter {
        std::string name;
        std::string help;
        std::atomic<std::uint64_t> value{0};
    };

    mutable std::mutex making_;
    std::array<Counter, limit>
        counters_; // the first count_ are in use; names do not change any more
    std::atomic<std::uint32_t> count_{0};
};

} // namespace pgat::sinks
