// A check in a process of its own: whatever a plugin does to it (a crash, an exit, a hang) becomes a finding.
//
// Made by fork() of a process with one thread; the process is killed with all that it started when this ends,
// and by the kernel when the kit itself dies.
#pragma once

#include <functional>

#include <sys/types.h>

#include "sinks/conformance/finding.hpp"
#include "sinks/conformance/slate.hpp"

namespace pgat::conformance {

class Child {
  public:
    // Runs `check` in the new process. Throws std::system_error.
    explicit Child(const std::function<Finding()> &check);
    ~Child();
    Child(Child &&other) noexcept;
    Child &operator=(Child &&) = delete;
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;

    // Whether it has ended; ends it if what it does takes too long. Does not wait: SIGCHLD says when to ask.
    bool ended();
    // Of one that has.
    Finding finding() const;

  private:
    [[noreturn]] void be(const std::function<Finding()> &check);
    void kill() noexcept;
    std::string last_words() const;

    Slate *slate_ = nullptr;
    int out_ = -1; // what it wrote to standard output, and to standard error
    int err_ = -1;
    pid_t pid_ = -1;
    int status_ = 0;
    bool reaped_ = false;
    bool killed_ = false;
};

// In the process of a check: what has been written to standard output or standard error so far, whoever of
// the process did it.
std::string written_to_output();

} // namespace pgat::conformance
