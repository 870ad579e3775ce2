// The first error of a session's threads: it ends the session, later ones are its consequences.
#pragma once

#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/halt.hpp"

namespace pgat::daemon {

class FirstFailure {
  public:
    explicit FirstFailure(Halt &halt) : halt_(halt) {}

    // [any thread] Runs a thread's work; what it throws becomes the session's failure.
    template <class Work>
    void guard(Work work) noexcept {
        try {
            work();
        } catch (const Error &error) {
            if (error.remedy() != Remedy::interrupted || !halt_.halted()) set(error);
        } catch (const std::exception &error) {
            set(Error(Remedy::reconnect, error.what()));
        }
    }

    void set(Error error) noexcept {
        {
            const std::lock_guard lock(mutex_);
            if (!error_) error_ = std::move(error);
        }
        halt_.end_session();
    }

    std::optional<Error> get() const {
        const std::lock_guard lock(mutex_);
        return error_;
    }

  private:
    Halt &halt_;
    mutable std::mutex mutex_;
    std::optional<Error> error_;
};

} // namespace pgat::daemon
