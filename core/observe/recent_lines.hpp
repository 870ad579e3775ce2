// The latest warnings and errors of the log, kept in memory for the status page.
//
// A message that comes again takes the place of the line it had, and is counted. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include <spdlog/sinks/sink.h>

#include "observe/log_format.hpp"

namespace pgat::observe {

class RecentLines : public spdlog::sinks::sink {
  public:
    static constexpr std::size_t most = 50;

    struct Line {
        LogLine line; // the last of them
        std::chrono::system_clock::time_point first;
        std::uint64_t times = 1;
    };

    // What set_up_logging() has every line go to.
    static std::shared_ptr<RecentLines> of_this_program();

    // The newest first.
    std::vector<Line> read() const;

    void log(const spdlog::details::log_msg &line) override;
    void flush() override {}
    void set_pattern(const std::string &) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  private:
    mutable std::mutex mutex_;
    std::deque<Line> lines_; // the newest first
};

} // namespace pgat::observe
