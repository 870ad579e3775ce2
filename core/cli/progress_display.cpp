#include "cli/progress_display.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <unistd.h>

#include "base/quantities.hpp"
#include "cli/terminal_text.hpp"
#include "observe/log.hpp"

namespace pgat::cli {

namespace {

constexpr auto line_interval = std::chrono::seconds(10);
constexpr std::string_view erase_line = "\r\x1b[K";

using StandardError = spdlog::sinks::ansicolor_stderr_sink_mt;

class LinesOverBar : public StandardError {
  public:
    explicit LinesOverBar(spdlog::color_mode mode) : StandardError(mode) {}
    void log(const spdlog::details::log_msg &line) override {
        std::fwrite(erase_line.data(), 1, erase_line.size(), stderr);
        StandardError::log(line);
    }
};

} // namespace

ProgressDisplay::ProgressDisplay(const config::Log &log, std::int64_t total,
                                 const DeliveryProgress &progress)
    : total_(total), progress_(progress), terminal_(isatty(STDERR_FILENO) != 0) {
    if (!terminal_) return;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other threads yet
    const bool plain = std::getenv("NO_COLOR") != nullptr;
    observe::set_up_logging(log,
                            std::make_shared<LinesOverBar>(plain ? spdlog::color_mode::never
                                                                 : spdlog::color_mode::automatic));
}

ProgressDisplay::~ProgressDisplay() {
    if (!terminal_) return;
    std::fwrite(erase_line.data(), 1, erase_line.size(), stderr);
    std::fflush(stderr);
}

std::string ProgressDisplay::numbers() const {
    const std::int64_t settled = progress_.settled();
    const std::int64_t last_id = progress_.last_id;
    const double seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
    const double rate = seconds > 0 ? static_cast<double>(settled) / seconds : 0;
    std::string text = fmt::format("{} of {} events", settled, total_);
    if (last_id != 0) text += fmt::format(", at event {}", last_id);
    if (rate >= 1) {
        text += fmt::format(", {:.0f}/s", rate);
        const auto left = std::max<std::int64_t>(total_ - settled, 0);
        text +=
            fmt::format(", {} left",
                        duration_text(static_cast<std::int64_t>(static_cast<double>(left) / rate)));
    }
    return text;
}

void ProgressDisplay::draw_bar() const {
    constexpr std::int64_t cells = 16;
    const std::int64_t settled = std::min(progress_.settled(), total_);
    const std::int64_t full = total_ == 0 ? cells : settled * cells / total_;
    const std::string line =
        fmt::format("[{}{}] {:3} %  {}", std::string(static_cast<std::size_t>(full), '#'),
                    std::string(static_cast<std::size_t>(cells - full), '.'),
                    total_ == 0 ? 100 : settled * 100 / total_, numbers());
    // A line that is as wide as the terminal would wrap, and the next one begin below it.
    fmt::print(stderr, "{}{}", erase_line,
               fit(line, static_cast<std::size_t>(std::max(columns_of(STDERR_FILENO) - 1, 20))));
    std::fflush(stderr);
}

void ProgressDisplay::show() {
    if (terminal_) return draw_bar();
    if (Clock::now() - last_line_ < line_interval) return;
    last_line_ = Clock::now();
    fmt::print(stderr, "{}\n", numbers());
    std::fflush(stderr);
}

} // namespace pgat::cli
