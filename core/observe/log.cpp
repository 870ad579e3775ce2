#include "observe/log.hpp"

#include <cstdlib>
#include <memory>

#include <spdlog/details/log_msg.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>

#include "observe/log_format.hpp"
#include "observe/recent_lines.hpp"

namespace pgat::observe {

void set_up_logging(const config::Log &config, spdlog::sink_ptr sink) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other threads yet
    const bool plain = std::getenv("NO_COLOR") != nullptr;
    if (!sink)
        sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(
            plain ? spdlog::color_mode::never : spdlog::color_mode::automatic);
    auto logger = std::make_shared<spdlog::logger>(
        "daemon", spdlog::sinks_init_list{std::move(sink), RecentLines::of_this_program()});
    if (config.format == config::LogFormat::json)
        logger->set_formatter(std::make_unique<JsonFormatter>());
    else
        logger->set_formatter(std::make_unique<TextFormatter>());
    logger->set_level(spdlog::level::from_str(config.level));
    spdlog::set_default_logger(std::move(logger));
}

bool Log::enabled(Level level) const noexcept {
    return spdlog::default_logger_raw()->should_log(level);
}

void Log::write(Level level, std::string_view message,
                const std::vector<Field> &fields) const noexcept {
    if (!enabled(level)) return;
    try {
        const std::string encoded = encode(message, fields);
        const spdlog::details::log_msg line(room_, level, encoded);
        for (const spdlog::sink_ptr &sink : spdlog::default_logger_raw()->sinks())
            if (sink->should_log(level)) sink->log(line);
    } catch (...) {
        // A line that cannot be written must not stop what it tells of.
    }
}

void Log::trace(std::string_view message, Fields fields) const noexcept {
    if (enabled(Level::trace)) write(Level::trace, message, fields);
}

void Log::debug(std::string_view message, Fields fields) const noexcept {
    if (enabled(Level::debug)) write(Level::debug, message, fields);
}

void Log::info(std::string_view message, Fields fields) const noexcept {
    if (enabled(Level::info)) write(Level::info, message, fields);
}

void Log::warn(std::string_view message, Fields fields) const noexcept {
    if (enabled(Level::warn)) write(Level::warn, message, fields);
}

void Log::error(std::string_view message, Fields fields) const noexcept {
    if (enabled(Level::err)) write(Level::err, message, fields);
}

void Log::warn(std::string_view message, const Error &error, Fields fields) const noexcept {
    if (enabled(Level::warn)) write(Level::warn, message, fields_of(error, fields));
}

void Log::error(std::string_view message, const Error &error, Fields fields) const noexcept {
    if (enabled(Level::err)) write(Level::err, message, fields_of(error, fields));
}

void log_event(Level level, std::string_view message, Fields fields) noexcept {
    const Log log{"daemon"};
    if (log.enabled(level)) log.write(level, message, fields);
}

std::vector<Field> fields_of(const Error &error, Fields before) {
    std::vector<Field> fields(before);
    fields.emplace_back("error", error.what());
    if (!error.hint().empty()) fields.emplace_back("hint", error.hint());
    if (!error.sqlstate().empty()) fields.emplace_back("sqlstate", error.sqlstate());
    return fields;
}

} // namespace pgat::observe
