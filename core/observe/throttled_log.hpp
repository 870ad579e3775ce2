// A Log for what happens again and again, such as a failed attempt in a retry loop: the first line of a
// message goes out at once, then one a minute that says how many were left out ("repeated=37").
//
// Messages are told apart by their text, not by their fields; at most 64 are remembered. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "observe/log.hpp"

namespace pgat::observe {

class ThrottledLog {
  public:
    using Clock = std::chrono::steady_clock;

    explicit ThrottledLog(Log log, Clock::duration period = std::chrono::minutes(1),
                          std::function<Clock::time_point()> now = Clock::now)
        : log_(log), period_(period), now_(std::move(now)) {}

    void info(std::string_view message, Fields fields = {});
    void warn(std::string_view message, Fields fields = {});
    void warn(std::string_view message, const Error &error, Fields fields = {});
    void error(std::string_view message, const Error &error, Fields fields = {});

    // The trouble is over: says what was left out and not told yet, and lets each message's next line out
    // at once.
    void reset();

  private:
    struct Seen {
        Level level;
        Clock::time_point told;
        std::uint64_t left_out = 0;
    };
    static constexpr std::size_t most_messages = 64;

    void write(Level level, std::string_view message, std::vector<Field> fields);
    void tell_left_out(const std::string &message, const Seen &seen) const;

    const Log log_;
    const Clock::duration period_;
    const std::function<Clock::time_point()> now_;
    std::mutex mutex_;
    std::map<std::string, Seen, std::less<>> seen_;
};

} // namespace pgat::observe
