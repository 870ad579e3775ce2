// What one check of the conformance kit comes to.
#pragma once

#include <string>
#include <vector>

namespace pgat::conformance {

enum class Mark { ok, failed, skipped };

struct Finding {
    Mark mark = Mark::ok;
    std::string reason;              // in words; may be empty where it is ok
    std::vector<std::string> advice; // what to do, or what else is known, a line each
    bool undelivered = false;        // the rule is kept, but its event did not arrive
};

// Ends a check from wherever it stands: thrown by fail() and skip(), and caught around the check.
struct Stop {
    Finding finding;
};

[[noreturn]] inline void fail(std::string reason, std::vector<std::string> advice = {}) {
    throw Stop{{Mark::failed, std::move(reason), std::move(advice)}};
}

[[noreturn]] inline void skip(std::string reason, std::vector<std::string> advice = {}) {
    throw Stop{{Mark::skipped, std::move(reason), std::move(advice)}};
}

} // namespace pgat::conformance
