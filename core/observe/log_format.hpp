// How a log line looks. Fields travel through spdlog inside the message, behind separators that no text
// holds, and are told apart again here.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <spdlog/formatter.h>

#include "observe/field.hpp"

namespace pgat::observe {

std::string encode(std::string_view message, const std::vector<Field> &fields);

// A line in its parts, each on one line of text.
struct LogLine {
    std::chrono::system_clock::time_point time;
    std::string level; // "warn"
    std::string room;
    std::string message;
    std::vector<std::pair<std::string, std::string>> fields;
};
LogLine parts_of(const spdlog::details::log_msg &line);

// 2026-11-22T08:30:00.123Z INFO  replication: slot created slot=async_triggers_stream_1 lsn=16/B3
// Always one line: line ends become "; ", other control characters are escaped.
class TextFormatter : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg &line, spdlog::memory_buf_t &out) override;
    std::unique_ptr<spdlog::formatter> clone() const override;
};

// {"ts":"2026-11-22T08:30:00.123Z","level":"info","logger":"replication","msg":"slot created", fields …}
// A field named as one of the first four gets a "_" behind. Bytes that are not UTF-8 are replaced.
class JsonFormatter : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg &line, spdlog::memory_buf_t &out) override;
    std::unique_ptr<spdlog::formatter> clone() const override;
};

} // namespace pgat::observe
