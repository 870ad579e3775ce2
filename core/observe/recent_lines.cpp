#include "observe/recent_lines.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/details/log_msg.h>

namespace pgat::observe {

std::shared_ptr<RecentLines> RecentLines::of_this_program() {
    static const auto lines = std::make_shared<RecentLines>();
    return lines;
}

std::vector<RecentLines::Line> RecentLines::read() const {
    const std::lock_guard lock(mutex_);
    return {lines_.begin(), lines_.end()};
}

void RecentLines::log(const spdlog::details::log_msg &line) {
    if (line.level < spdlog::level::warn || line.level >= spdlog::level::off) return;
    Line next{parts_of(line), line.time, 1};
    const std::lock_guard lock(mutex_);
    const auto known = std::find_if(lines_.begin(), lines_.end(), [&](const Line &each) {
        return each.line.message == next.line.message && each.line.room == next.line.room &&
               each.line.level == next.line.level;
    });
    if (known != lines_.end()) {
        next.first = known->first;
        next.times = known->times + 1;
        lines_.erase(known);
    }
    lines_.push_front(std::move(next));
    if (lines_.size() > most) lines_.pop_back();
}

} // namespace pgat::observe
