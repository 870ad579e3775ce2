#include "sinks/counters.hpp"

#include <algorithm>

namespace pgat::sinks {
namespace {

bool is_name(std::string_view name) noexcept {
    const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
    return !name.empty() && name.size() <= 64 && lower(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return lower(c) || (c >= '0' && c <= '9') || c == '_'; });
}

} // namespace

std::uint32_t Counters::find_or_make(std::string_view name, std::string_view help) {
    if (!is_name(name)) return 0;
    const std::lock_guard lock(making_);
    const std::uint32_t count = count_.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < count; ++i)
        if (counters_[i].name == name) return i + 1;
    if (count == limit) return 0;
    counters_[count].name = name;
    counters_[count].help = help;
    count_.store(count + 1, std::memory_order_release);
    return count + 1;
}

void Counters::add(std::uint32_t counter, std::uint64_t n) noexcept {
    if (counter == 0 || counter > count_.load(std::memory_order_acquire)) return;
    counters_[counter - 1].value.fetch_add(n, std::memory_order_relaxed);
}

std::vector<Counters::Reading> Counters::read() const {
    const std::uint32_t count = count_.load(std::memory_order_acquire);
    std::vector<Reading> readings;
    readings.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i)
        readings.push_back({counters_[i].name, counters_[i].help,
                            counters_[i].value.load(std::memory_order_relaxed)});
    return readings;
}

} // namespace pgat::sinks
