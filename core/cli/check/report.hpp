// What `check` finds, on standard output: a line each, at once ("ok", "WARN" or "FAIL", the check's name, what is
// found; below it, indented, the statements and settings that mend it), or all of it as a JSON array at the end.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "cli/finding_text.hpp"

namespace pgat::cli::check {

class Report {
  public:
    enum class Shape { lines, json };
    explicit Report(Shape shape) : shape_(shape) {}

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

    // Writes what is not written yet; the exit status.
    int finish() const;

  private:
    void add(Mark mark, std::string_view check, std::string_view found,
             const std::vector<std::string> &mend);

    const Shape shape_;
    nlohmann::ordered_json json_ = nlohmann::ordered_json::array();
    int failures_ = 0;
};

std::vector<std::string> lines_of(std::string_view text);

} // namespace pgat::cli::check
