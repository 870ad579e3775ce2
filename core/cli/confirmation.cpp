#include "cli/confirmation.hpp"

#include <iostream>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.hpp"

namespace pgat::cli {

bool confirmed(std::string_view action) {
    if (isatty(STDIN_FILENO) == 0)
        throw Error(Remedy::configure,
                    fmt::format("{}, and there is no terminal to ask on", action))
            .with_hint("add --yes if you mean it");
    fmt::print("Go on? Type yes: ");
    std::fflush(stdout);
    std::string answer;
    return std::getline(std::cin, answer) && answer == "yes";
}

} // namespace pgat::cli
