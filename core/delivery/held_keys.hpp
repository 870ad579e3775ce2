// Which keys must wait, and until when: those with an event that the sink could not take yet, while it takes
// others. A key is held from its first failure until an event of it is settled; each failure doubles the wait
// that follows, and the sink's Retry-After is kept.
//
// Their events stay in front of the batch (batch.hpp), in order. Without held keys nothing here costs more than
// asking empty(). On the delivery thread, for as long as one stretch of streaming.
#pragma once

#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/backoff.hpp"

namespace pgat::delivery {

class HeldKeys {
  public:
    using Clock = std::chrono::steady_clock;

    HeldKeys(Backoff::Duration initial_backoff, Backoff::Duration max_backoff)
        : initial_backoff_(initial_backoff), max_backoff_(max_backoff) {}

    bool empty() const noexcept { return keys_.empty(); }
    std::size_t size() const noexcept { return keys_.size(); }
    bool holds(std::string_view key) const { return !empty() && keys_.contains(key); }
    // Must its events stay back at this time? A held key whose time has come is offered again.
    bool waits(std::string_view key, Clock::time_point now) const;

    // An event of the key failed: not before the backoff, nor what the sink asked for, has passed. The wait.
    Backoff::Duration hold(std::string_view key, Clock::time_point now,
                           Backoff::Duration asked_to_wait);
    // An event of the key is settled.
    void release(std::string_view key);
    void clear() noexcept { keys_.clear(); }

    // When the first of them is to be offered again; time_point::max() if none is held.
    Clock::time_point next_attempt() const noexcept;

  private:
    struct Wait {
        Backoff backoff;
        Clock::time_point until;
    };
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };

    const Backoff::Duration initial_backoff_;
    const Backoff::Duration max_backoff_;
    std::unordered_map<std::string, Wait, Hash, std::equal_to<>> keys_;
    std::minstd_rand seeds_{std::random_device{}()};
};

} // namespace pgat::delivery
