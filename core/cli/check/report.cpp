#include "cli/check/report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

namespace pgat::cli::check {

Report::Report()
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    : colours_(isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr) {}

void Report::ok(std::string_view check, std::string_view found) {
    write("ok  ", "\033[32m", check, found, {});
}

void Report::warn(std::string_view check, std::string_view found,
                  const std::vector<std::string> &mend) {
    write("WARN", "\033[33m", check, found, mend);
}

void Report::fail(std::string_view check, std::string_view found,
                  const std::vector<std::string> &mend) {
    ++failures_;
    write("FAIL", "\033[31m", check, found, mend);
}

void Report::fail(std::string_view check, const Error &error) {
    // The first line says it; the others (a list of mistakes, a second address) stand below with the hint.
    std::vector<std::string> below = lines_of(error.what());
    const std::string first = below.empty() ? "" : below.front();
    if (!below.empty()) below.erase(below.begin());
    for (std::string &line : below)
        line.erase(0, line.find_first_not_of(" \t"));
    for (const std::string &line : lines_of(error.hint()))
        below.push_back(line);
    fail(check, first, below);
}

void Report::attempt(std::string_view check, const std::function<void()> &run) {
    try {
        run();
    } catch (const Error &error) {
        fail(check, error);
    }
}

void Report::write(std::string_view mark, const char *colour, std::string_view check,
                   std::string_view found, const std::vector<std::string> &mend) const {
    fmt::print("{}{}{}  {}: {}\n", colours_ ? colour : "", mark, colours_ ? "\033[0m" : "", check,
               found);
    for (const std::string &line : mend)
        fmt::print("        {}\n", line);
    std::fflush(stdout);
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::string in_bytes(std::int64_t bytes) {
    constexpr std::array<const char *, 5> units = {"bytes", "kB", "MB", "GB", "TB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    return fmt::format("{:.{}f} {}", value, unit == 0 ? 0 : 1, units.at(unit));
}

} // namespace pgat::cli::check
