// The process's environment as a value, so that loading a configuration is a function of its inputs.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace pgat::config {

class Environment {
  public:
    using Variables = std::map<std::string, std::string>;

    Environment() = default;
    explicit Environment(Variables variables) : variables_(std::move(variables)) {}

    // A copy of what this process was started with. Call it before there are other threads.
    static Environment of_process();

    std::optional<std::string> get(const std::string &name) const;
    const Variables &all() const noexcept { return variables_; }

  private:
    Variables variables_;
};

} // namespace pgat::config
