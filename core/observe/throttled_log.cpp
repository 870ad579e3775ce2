#include "observe/throttled_log.hpp"

#include <algorithm>

namespace pgat::observe {

void ThrottledLog::info(std::string_view message, Fields fields) {
    write(Level::info, message, fields);
}

void ThrottledLog::warn(std::string_view message, Fields fields) {
    write(Level::warn, message, fields);
}

void ThrottledLog::warn(std::string_view message, const Error &error, Fields fields) {
    write(Level::warn, message, fields_of(error, fields));
}

void ThrottledLog::error(std::string_view message, const Error &error, Fields fields) {
    write(Level::err, message, fields_of(error, fields));
}

void ThrottledLog::write(Level level, std::string_view message, std::vector<Field> fields) {
    const std::lock_guard lock(mutex_);
    const Clock::time_point now = now_();
    const auto found = seen_.find(message);
    if (found == seen_.end()) {
        if (seen_.size() >= most_messages) {
            const auto oldest =
                std::min_element(seen_.begin(), seen_.end(), [](const auto &a, const auto &b) {
                    return a.second.told < b.second.told;
                });
            tell_left_out(oldest->first, oldest->second);
            seen_.erase(oldest);
        }
        seen_.emplace(message, Seen{level, now});
        log_.write(level, message, fields);
        return;
    }
    Seen &seen = found->second;
    if (now - seen.told < period_) {
        ++seen.left_out;
        return;
    }
    if (seen.left_out > 0) fields.emplace_back("repeated", seen.left_out);
    log_.write(level, message, fields);
    seen = Seen{level, now};
}

void ThrottledLog::reset() {
    const std::lock_guard lock(mutex_);
    for (const auto &[message, seen] : seen_)
        tell_left_out(message, seen);
    seen_.clear();
}

void ThrottledLog::tell_left_out(const std::string &message, const Seen &seen) const {
    if (seen.left_out > 0) log_.write(seen.level, message, {{"repeated", seen.left_out}});
}

} // namespace pgat::observe
