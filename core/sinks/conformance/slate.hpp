// What a check's process leaves for the kit to read, whatever becomes of the process: a piece of memory that
// both share, with what the check was doing last, until when that may take, and what it found.
//
// Written by the check's main thread, and by the handler of a crash; read by the kit once the process has
// ended or is to be ended.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "sinks/conformance/finding.hpp"

namespace pgat::conformance {

class Slate {
  public:
    // In memory that stays shared over fork(). Throws std::system_error.
    static Slate *make();
    static void destroy(Slate *slate) noexcept;

    // From here on the check is in `step`, a part of a sentence ("publish() of one event"). If that is still
    // so after `limit`, the process is ended, and `overdue` completes the sentence.
    void enter(std::string_view step, std::chrono::nanoseconds limit,
               std::string_view overdue = "did not return");
    void leave() noexcept;

    // Nothing further comes after it.
    void write(const Finding &finding);

    // [signal handler]
    void crashed(const char *how) noexcept;

    bool overdue() const noexcept;
    bool done() const noexcept { return done_.load(std::memory_order_acquire); }
    Finding finding() const;
    std::string step() const { return step_; }
    std::string overdue_words() const { return overdue_; }
    std::string crash() const { return crash_; }

  private:
    std::atomic<std::int64_t> due_{0}; // on the steady clock, in nanoseconds; 0: no limit
    std::atomic<bool> done_{false};
    char step_[256] = {};
    char overdue_[256] = {};
    char crash_[1024] = {};
    std::uint32_t finding_size_ = 0;
    char finding_[65536] = {};
};

// How much longer than promised something may take before it is said to be late: the machine may be busy.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
constexpr std::chrono::seconds grace{sanitized ? 4 : 1};

// Of the check that runs in this process.
Slate &slate() noexcept;
void set_slate(Slate *slate) noexcept;

} // namespace pgat::conformance
