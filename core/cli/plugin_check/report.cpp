#include "cli/plugin_check/report.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/terminal_text.hpp"

namespace pgat::cli::plugin_check {
namespace {

using conformance::Mark;

constexpr const char *red = "\033[31m";
constexpr const char *green = "\033[32m";
constexpr const char *yellow = "\033[33m";
constexpr const char *bold = "\033[1m";
constexpr const char *faint = "\033[2m";
constexpr std::size_t indent = 10;
constexpr std::size_t narrowest = 20;

const char *word(Mark mark) {
    return mark == Mark::ok ? "ok" : mark == Mark::failed ? "FAIL" : "skipped";
}

const char *colour(Mark mark) {
    return mark == Mark::ok ? green : mark == Mark::failed ? red : yellow;
}

} // namespace

Report::Report(std::string file)
    : file_(std::move(file)), terminal_(isatty(STDOUT_FILENO) == 1),
      // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
      colours_(terminal_ && std::getenv("NO_COLOR") == nullptr) {}

std::string Report::coloured(const char *colour, std::string_view text) const {
    return colours_ ? fmt::format("{}{}\033[0m", colour, text) : std::string(text);
}

// Indented, and on a terminal broken between words; whole in a pipe.
void Report::below(std::string_view text) const {
    const std::string line = printable(text);
    const auto room = static_cast<std::size_t>(columns_of(STDOUT_FILENO));
    std::size_t width = terminal_ ? std::max(room, indent + narrowest) - indent : line.size();
    std::string_view rest = line;
    while (!rest.empty()) {
        std::size_t end = rest.size();
        if (end > width) {
            end = rest.rfind(' ', width);
            if (end == rest.npos || end == 0) end = std::min(rest.find(' '), rest.size());
        }
        fmt::print("{:{}}{}\n", "", indent, rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
}

void Report::add(const conformance::Result &result) {
    const conformance::Finding &finding = result.finding;
    if (group_ != result.check->group) {
        group_ = result.check->group;
        fmt::print("{}\n", coloured(bold, group_));
    }
    const std::string name = result.because == nullptr
                                 ? std::string(result.check->name)
                                 : fmt::format("{} ({})", result.check->name, finding.reason);
    // Padded before it is coloured.
    fmt::print("  {} {}  {}\n",
               coloured(colour(finding.mark), fmt::format("{:<7}", word(finding.mark))),
               result.check->sentence, coloured(faint, name));
    if (result.because != nullptr) return;
    if (!finding.reason.empty()) below(finding.reason);
    for (const std::string &line : finding.advice)
        below(line);
    std::fflush(stdout);
}

void Report::end(const conformance::Outcome &outcome, bool require_delivery) const {
    if (!outcome.undelivered.empty() && !require_delivery) {
        fmt::print("\n{}: {}\n", coloured(yellow, "NOTHING WAS DELIVERED"),
                   printable(outcome.undelivered));
        fmt::print("  To pass like this shows little. --require-delivery makes it a failure.\n");
    }
    std::vector<std::string_view> names;
    for (const auto &result : outcome.results)
        if (result.finding.mark == Mark::failed) names.emplace_back(result.check->name);
    fmt::print("\n{}: {} ok, {} skipped, {}\n", printable(file_), outcome.count(Mark::ok),
               outcome.count(Mark::skipped),
               names.empty() ? coloured(green, "none failed")
                             : coloured(red, fmt::format("{} FAILED: {}", names.size(),
                                                         fmt::join(names, ", "))));
}

std::string to_json(const std::string &file, const conformance::Outcome &outcome) {
    using nlohmann::ordered_json;
    auto checks = ordered_json::array();
    for (const auto &[check, finding, took, because] : outcome.results) {
        const char *mark = finding.mark == Mark::failed ? "failed" : word(finding.mark);
        checks.push_back({{"check", check->name},
                          {"group", check->group},
                          {"sentence", check->sentence},
                          {"result", mark},
                          {"reason", finding.reason},
                          {"advice", finding.advice},
                          {"because_of", because == nullptr ? "" : because->name},
                          {"milliseconds", took.count()}});
    }
    const ordered_json all = {{"file", file},
                              {"passed", outcome.count(Mark::failed) == 0},
                              {"ok", outcome.count(Mark::ok)},
                              {"failed", outcome.count(Mark::failed)},
                              {"skipped", outcome.count(Mark::skipped)},
                              {"delivery_not_tried", outcome.undelivered},
                              {"checks", checks}};
    return all.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

} // namespace pgat::cli::plugin_check
