#include "cli/finding_text.hpp"

#include <cstdint>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/program.hpp"
#include "cli/terminal_text.hpp"

namespace pgat::cli {

namespace {

struct Look {
    std::string_view word;
    std::string_view colour;
};

Look look_of(Mark mark) {
    switch (mark) {
    case Mark::ok:
        return {"ok   ", "32"};
    case Mark::warn:
        return {"WARN ", "33"};
    case Mark::fail:
        return {"FAIL ", "31"};
    case Mark::problem:
        return {"PROBLEM ", "1;31"};
    case Mark::note:
        return {"note    ", "33"};
    }
    return {};
}

bool is_to_be_copied(std::string_view line) {
    return line.ends_with(';') || line.starts_with(program_name);
}

} // namespace

std::string in_colour(std::string_view colour, std::string_view text) {
    if (!coloured(STDOUT_FILENO)) return std::string(text);
    return fmt::format("\033[{}m{}\033[0m", colour, text);
}

std::size_t line_width() {
    return isatty(STDOUT_FILENO) != 0 ? static_cast<std::size_t>(columns_of(STDOUT_FILENO))
                                      : SIZE_MAX;
}

void print_finding(Mark mark, std::string_view what, const std::vector<std::string> &remedy) {
    const Look look = look_of(mark);
    const std::size_t indent = look.word.size() + 1;
    const std::size_t width = line_width();
    const std::size_t room = width > indent + 20 ? width - indent : width;
    const char *before = "";
    fmt::print("{} ", in_colour(look.colour, look.word));
    for (const std::string &line : wrap(what, room)) {
        fmt::print("{}{}\n", before, line);
        before = indent == 6 ? "      " : "         ";
    }
    for (const std::string &line : remedy) {
        // As far as `check` has always indented them, so that they stand apart from what is found.
        const std::string space(indent == 6 ? 8 : indent, ' ');
        if (is_to_be_copied(line)) {
            fmt::print("{}{}\n", space, in_colour("1", printable(line)));
            continue;
        }
        for (const std::string &part : wrap(line, width > 40 ? width - space.size() : width))
            fmt::print("{}{}\n", space, part);
    }
    std::fflush(stdout);
}

} // namespace pgat::cli
