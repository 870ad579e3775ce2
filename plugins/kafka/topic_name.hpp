// Which names a topic can have.
#pragma once

#include <algorithm>
#include <string_view>

namespace pgat::kafka {

// Kafka's own rule. What breaks it is no topic on any cluster.
inline bool is_topic_name(std::string_view name) noexcept {
    constexpr std::size_t longest = 249;
    return !name.empty() && name.size() <= longest && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '_' || c == '-';
           });
}

} // namespace pgat::kafka
