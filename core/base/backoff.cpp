#include "base/backoff.hpp"

#include <algorithm>

namespace pgat {

Backoff::Backoff(Duration initial, Duration max, std::uint64_t seed)
    : initial_(std::max(initial, Duration(1))), max_(std::max(max, initial_)), current_(initial_),
      random_(static_cast<std::minstd_rand::result_type>(seed)) {}

Backoff::Duration Backoff::next() {
    const auto whole = current_.count();
    std::uniform_int_distribution<Duration::rep> between(whole - whole / 2, whole);
    current_ = std::min(current_ * 2, max_);
    return Duration(between(random_));
}

} // namespace pgat
