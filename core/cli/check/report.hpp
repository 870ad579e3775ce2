// What `check` finds, a line each on standard output: "ok", "WARN" or "FAIL", the check's name, what is
// found; below it, indented, the statements and settings that mend it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace pgat::cli::check {

class Report {
  public:
    Report();

    void ok(std::string_view check, std::string_view found);
    // Works now, but somebody should know.
    void warn(std::string_view check, std::string_view found,
              const std::vector<std::string> &mend = {});
    // The daemon cannot work like this.
    void fail(std::string_view check, std::string_view found,
              const std::vector<std::string> &mend = {});
    void fail(std::string_view check, const Error &error);

    // Runs one check; an Error that it throws is a failure of it.
    void attempt(std::string_view check, const std::function<void()> &run);

    int exit_status() const noexcept { return failures_ == 0 ? 0 : 1; }

  private:
    void write(std::string_view mark, const char *colour, std::string_view check,
               std::string_view found, const std::vector<std::string> &mend) const;

    bool colours_;
    int failures_ = 0;
};

std::vector<std::string> lines_of(std::string_view text);

// "1.5 GB", for people.
std::string in_bytes(std::int64_t bytes);

} // namespace pgat::cli::check
