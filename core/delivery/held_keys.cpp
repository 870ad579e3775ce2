#include "delivery/held_keys.hpp"

#include <algorithm>

namespace pgat::delivery {

bool HeldKeys::waits(std::string_view key, Clock::time_point now) const {
    if (empty()) return false;
    const auto held = keys_.find(key);
    return held != keys_.end() && now < held->second.until;
}

Backoff::Duration HeldKeys::hold(std::string_view key, Clock::time_point now,
                                 Backoff::Duration asked_to_wait) {
    auto held = keys_.find(key);
    if (held == keys_.end())
        held = keys_
                   .try_emplace(std::string(key),
                                Wait{Backoff(initial_backoff_, max_backoff_, seeds_()), {}})
                   .first;
    const auto wait = std::max(asked_to_wait, held->second.backoff.next());
    held->second.until = now + wait;
    return wait;
}

void HeldKeys::release(std::string_view key) {
    if (empty()) return;
    if (const auto held = keys_.find(key); held != keys_.end()) keys_.erase(held);
}

HeldKeys::Clock::time_point HeldKeys::next_attempt() const noexcept {
    auto first = Clock::time_point::max();
    for (const auto &[key, wait] : keys_)
        first = std::min(first, wait.until);
    return first;
}

} // namespace pgat::delivery
