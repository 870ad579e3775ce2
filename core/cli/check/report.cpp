#include "cli/check/report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/program.hpp"

namespace pgat::cli::check {

void Report::ok(std::string_view check, std::string_view found) { add(Mark::ok, check, found, {}); }

void Report::warn(std::string_view check, std::string_view found,
                  const std::vector<std::string> &mend) {
    add(Mark::warn, check, found, mend);
}

void Report::fail(std::string_view check, std::string_view found,
                  const std::vector<std::string> &mend) {
    ++failures_;
    add(Mark::fail, check, found, mend);
}

void Report::add(Mark mark, std::string_view check, std::string_view found,
                 const std::vector<std::string> &mend) {
    if (shape_ == Shape::lines)
        return print_finding(mark, fmt::format("{}: {}", check, found), mend);
    const char *const word = mark == Mark::ok ? "ok" : mark == Mark::warn ? "warn" : "fail";
    json_.push_back({{"check", check}, {"result", word}, {"found", found}, {"mend", mend}});
}

int Report::finish() const {
    if (shape_ == Shape::json)
        fmt::print("{}\n",
                   json_.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return failures_ == 0 ? done : failed;
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

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

} // namespace pgat::cli::check
