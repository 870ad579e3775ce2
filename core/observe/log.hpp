// Logging: one line an event, to standard error, as text for people or JSON for machines.
//
// A room keeps a Log of its own name: `observe::Log log{"replication"}; log.info("slot created",
// {{"slot", name}, {"lsn", lsn}})`. A message is a fixed sentence; what varies stands in its fields, so
// that equal events can be found and counted. Lines from other users of spdlog come out the same way.
// Any thread may log. Never throws.
#pragma once

#include <string_view>
#include <vector>

#include <spdlog/common.h>

#include "base/error.hpp"
#include "config/config.hpp"
#include "observe/field.hpp"

namespace pgat::observe {

using Level = spdlog::level::level_enum;

// Once, before there are other threads. `sink` is standard error if null; colour only on a terminal.
void set_up_logging(const config::Log &config, spdlog::sink_ptr sink = nullptr);

class Log {
  public:
    // `room` must be a literal.
    explicit constexpr Log(std::string_view room) noexcept : room_(room) {}

    bool enabled(Level level) const noexcept;

    void trace(std::string_view message, Fields fields = {}) const noexcept;
    void debug(std::string_view message, Fields fields = {}) const noexcept;
    void info(std::string_view message, Fields fields = {}) const noexcept;
    void warn(std::string_view message, Fields fields = {}) const noexcept;
    void error(std::string_view message, Fields fields = {}) const noexcept;

    // The same with the error's text, hint and SQLSTATE as fields after `fields`.
    void warn(std::string_view message, const Error &error, Fields fields = {}) const noexcept;
    void error(std::string_view message, const Error &error, Fields fields = {}) const noexcept;

    void write(Level level, std::string_view message,
               const std::vector<Field> &fields) const noexcept;

  private:
    std::string_view room_;
};

// Without a Log at hand: the daemon's own voice.
void log_event(Level level, std::string_view message, Fields fields = {}) noexcept;

// What Log adds for an error.
std::vector<Field> fields_of(const Error &error, Fields before = {});

} // namespace pgat::observe
