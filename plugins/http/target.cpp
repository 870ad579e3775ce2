#include "http/target.hpp"

#include <unordered_map>

#include "http/url.hpp"

namespace pgat::http {

using plugin::Batch;
using plugin::Event;
using plugin::Host;
using plugin::Template;

std::optional<std::string> render_target(const Host &host, const Settings &settings,
                                         const Event &event, Target &target) {
    target.url.clear();
    if (auto why = settings.url.render(host, event, Template::Encoding::percent, target.url))
        return "url: " + *why;
    if (!settings.url.constant() && has_dot_segment(target.url))
        return "url: a value would make a path segment . or ..";
    std::size_t used = 0;
    for (const Header &header : settings.headers) {
        if (header.value.constant()) continue;
        if (used == target.values.size()) target.values.emplace_back();
        std::string &value = target.values[used++];
        value.clear();
        if (auto why = header.value.render(host, event, Template::Encoding::raw, value))
            return "headers." + header.name + ": " + *why;
        if (plugin::has_control_character(value))
            return "headers." + header.name + ": the value holds a control character";
    }
    return std::nullopt;
}

std::vector<std::uint32_t> group_by_target(const Host &host, const Settings &settings,
                                           const Batch &batch) {
    std::unordered_map<std::string, std::uint32_t> numbers;
    std::vector<std::uint32_t> groups;
    groups.reserve(batch.size());
    Target target;
    for (std::uint32_t i = 0; i < batch.size(); ++i) {
        const auto fresh = static_cast<std::uint32_t>(batch.size() + numbers.size());
        if (render_target(host, settings, batch[i], target)) {
            groups.push_back(i); // no other group has a number this low
            continue;
        }
        std::string whole = target.url;
        for (const std::string &value : target.values)
            whole.append(1, '\n').append(value);
        groups.push_back(numbers.try_emplace(std::move(whole), fresh).first->second);
    }
    return groups;
}

} // namespace pgat::http
