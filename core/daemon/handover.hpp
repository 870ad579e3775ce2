// The values that the threads of a session hand to one another.
//
//   housekeeping ── capture ──► delivery ── cursor, position ──► housekeeping ── confirmed ──► replication
//
// Each is one small object behind one lock or one atomic; nobody waits here while holding anything.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "base/identifiers.hpp"
#include "base/lsn.hpp"

namespace pgat::daemon {

// The newest value put and not yet taken. `on_put` runs on the putting thread, without the lock.
template <class T>
class Mailbox {
  public:
    explicit Mailbox(std::function<void()> on_put = {}) : on_put_(std::move(on_put)) {}

    void put(T value) {
        {
            const std::lock_guard lock(mutex_);
            value_ = std::move(value);
        }
        if (on_put_) on_put_();
    }

    std::optional<T> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(value_, std::nullopt);
    }

    bool empty() const {
        const std::lock_guard lock(mutex_);
        return !value_.has_value();
    }

  private:
    const std::function<void()> on_put_;
    mutable std::mutex mutex_;
    std::optional<T> value_;
};

// The position up to which the server may forget the WAL: written to the row before it is set here.
class ConfirmedPosition {
  public:
    void set(Lsn position) noexcept { value_.store(position.value()); }
    // The stream is delivered from here on. Nothing is confirmed before, nor ever anything lower: up to
    // Postgres 16 that would move the slot back.
    void begin_at(Lsn position) noexcept { lowest_.store(position.value()); }

    bool allows(Lsn position) const noexcept { return position.value() >= lowest_.load(); }

    // Invalid, which a server ignores, while there is nothing to confirm.
    Lsn get() const noexcept {
        const auto value = value_.load();
        return value >= lowest_.load() ? Lsn(value) : Lsn();
    }

  private:
    std::atomic<std::uint64_t> value_{0};
    std::atomic<std::uint64_t> lowest_{UINT64_MAX};
};

// When the oldest event was written that some stream of the database has not delivered for half of the
// retention time; 0: there is none. For whoever watches the daemon; any thread.
class OldestUndelivered {
  public:
    void set(Timestamp written) noexcept { written_.store(written.value()); }
    Timestamp get() const noexcept { return Timestamp(written_.load()); }

  private:
    std::atomic<Timestamp::rep> written_{0};
};

} // namespace pgat::daemon
