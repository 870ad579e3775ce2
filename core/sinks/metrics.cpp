#include "sinks/metrics.hpp"

#include <algorithm>

namespace pgat::sinks {
namespace {

bool is_name(std::string_view name) noexcept {
    const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
    return !name.empty() && name.size() <= 64 && lower(name.front()) &&
           !name.starts_with("calls_") && std::all_of(name.begin(), name.end(), [&](char c) {
               return lower(c) || (c >= '0' && c <= '9') || c == '_';
           });
}

} // namespace

std::uint32_t Metrics::find_or_make(Kind kind, std::string_view name, std::string_view help) {
    if (!is_name(name)) return 0;
    const std::lock_guard lock(making_);
    const std::uint32_t count = count_.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < count; ++i)
        if (metrics_[i].name == name) return metrics_[i].kind == kind ? i + 1 : 0;
    if (count == limit) return 0;
    metrics_[count].name = name;
    metrics_[count].help = help;
    metrics_[count].kind = kind;
    count_.store(count + 1, std::memory_order_release);
    return count + 1;
}

std::uint32_t Metrics::counter(std::string_view name, std::string_view help) {
    return find_or_make(Kind::counter, name, help);
}

std::uint32_t Metrics::gauge(std::string_view name, std::string_view help) {
    return find_or_make(Kind::gauge, name, help);
}

Metrics::Metric *Metrics::find(Kind kind, std::uint32_t number) noexcept {
    if (number == 0 || number > count_.load(std::memory_order_acquire)) return nullptr;
    Metric &metric = metrics_[number - 1];
    return metric.kind == kind ? &metric : nullptr;
}

void Metrics::add(std::uint32_t counter, std::uint64_t n) noexcept {
    if (Metric *const metric = find(Kind::counter, counter))
        metric->count.fetch_add(n, std::memory_order_relaxed);
}

void Metrics::set(std::uint32_t gauge, double value) noexcept {
    if (Metric *const metric = find(Kind::gauge, gauge))
        metric->level.store(value, std::memory_order_relaxed);
}

void Metrics::reset_gauges() noexcept {
    const std::uint32_t count = count_.load(std::memory_order_acquire);
    for (std::uint32_t i = 0; i < count; ++i)
        metrics_[i].level.store(0, std::memory_order_relaxed);
}

std::vector<Metrics::Reading<std::uint64_t>> Metrics::counters() const {
    std::vector<Reading<std::uint64_t>> readings;
    const std::uint32_t count = count_.load(std::memory_order_acquire);
    for (std::uint32_t i = 0; i < count; ++i)
        if (const Metric &metric = metrics_[i]; metric.kind == Kind::counter)
            readings.push_back(
                {metric.name, metric.help, metric.count.load(std::memory_order_relaxed)});
    return readings;
}

std::vector<Metrics::Reading<double>> Metrics::gauges() const {
    std::vector<Reading<double>> readings;
    const std::uint32_t count = count_.load(std::memory_order_acquire);
    for (std::uint32_t i = 0; i < count; ++i)
        if (const Metric &metric = metrics_[i]; metric.kind == Kind::gauge)
            readings.push_back(
                {metric.name, metric.help, metric.level.load(std::memory_order_relaxed)});
    return readings;
}

} // namespace pgat::sinks
