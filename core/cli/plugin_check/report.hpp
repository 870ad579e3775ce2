// What `plugins check` finds: a line a check, what is wrong and what to do below it, and a summary.
#pragma once

#include <string>

#include "sinks/conformance/conformance.hpp"

namespace pgat::cli::plugin_check {

class Report {
  public:
    // To standard output, coloured on a terminal unless NO_COLOR is set. `file` is what is checked.
    explicit Report(std::string file);

    void add(const conformance::Result &result);
    // `require_delivery`: as asked for.
    void end(const conformance::Outcome &outcome, bool require_delivery) const;

  private:
    std::string coloured(const char *colour, std::string_view text) const;
    void below(std::string_view text) const;

    std::string file_;
    bool terminal_;
    bool colours_;
    std::string group_;
};

std::string to_json(const std::string &file, const conformance::Outcome &outcome);

} // namespace pgat::cli::plugin_check
