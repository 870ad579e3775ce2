// The conformance kit: tries a plugin against every rule of pgat/sink.h that can be seen to be kept from
// outside. Each check has a process of its own, several at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sinks/conformance/check.hpp"

namespace pgat::conformance {

struct Result {
    const Check *check;
    Finding finding;
    std::chrono::milliseconds took{0};
    // It was skipped, as this one, which it needs, failed or was skipped.
    const Check *because = nullptr;
};

struct Options {
    std::vector<std::string> only; // names of checks or groups; empty: all
    bool require_delivery = false; // that no event was delivered is a failure
};

struct Outcome {
    std::vector<Result> results;
    std::string undelivered; // why nothing was delivered; empty: it was, or failed
    std::size_t count(Mark mark) const;
};

// Runs the checks and calls `tell` with each result, in the order of the list. Checks that others need run though
// they are not asked for, and are told of only if they fail. The process has one thread; it never loads the
// plugin itself. Throws std::system_error where there are no processes or no memory.
Outcome run(Subject subject, const Options &options,
            const std::function<void(const Result &)> &tell);

// Whether `name` is that of a check or of a group.
bool is_check(const std::string &name);
std::vector<std::string> check_names();

} // namespace pgat::conformance
