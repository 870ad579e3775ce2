// RFC 6901. simdjson's own at_pointer() compares keys as they are written, so it misses escaped ones.
#include <charconv>
#include <optional>
#include <string>

#include <pgat/sink.h>

#include "sinks/json_members.hpp"
#include "sinks/json_value.hpp"

namespace pgat::sinks {
namespace {

namespace ondemand = simdjson::ondemand;

// The next reference token of a pointer, ~0 and ~1 resolved; nothing if the pointer is not well
// formed.
std::optional<std::string_view> next_token(std::string_view &pointer, std::string &unescaped) {
    pointer.remove_prefix(1);
    const std::string_view raw = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(raw.size());
    if (raw.find('~') == std::string_view::npos) return raw;
    unescaped.clear();
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '~') {
            unescaped += raw[i];
            continue;
        }
        if (++i == raw.size() || (raw[i] != '0' && raw[i] != '1')) return std::nullopt;
        unescaped += raw[i] == '0' ? '~' : '/';
    }
    return unescaped;
}

std::optional<std::size_t> to_index(std::string_view token) noexcept {
    if (token.empty() || (token.size() > 1 && token.front() == '0')) return std::nullopt;
    std::size_t index = 0;
    const auto [end, failed] = std::from_chars(token.data(), token.data() + token.size(), index);
    if (failed != std::errc() || end != token.data() + token.size()) return std::nullopt;
    return index;
}

// One step down. Returns PGAT_JSON_INVALID, PGAT_JSON_MISSING, or something positive with `value`
// moved on.
std::int32_t step(ondemand::value &value, std::string_view token) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
    std::optional<ondemand::value> below;
    std::int32_t walked = PGAT_JSON_MISSING;
    if (type == ondemand::json_type::object) {
        walked = walk_object(value, [&](ondemand::value &member, std::string_view key) {
            if (key != token) return Walk::on;
            below = member;
            return Walk::enough;
        });
    } else if (type == ondemand::json_type::array) {
        const auto index = to_index(token);
        std::size_t at = 0;
        if (index)
            walked = walk_array(value, [&](ondemand::value &element) {
                if (at++ != *index) return Walk::on;
                below = element;
                return Walk::enough;
            });
    }
    if (walked == PGAT_JSON_INVALID) return walked;
    if (!below) return PGAT_JSON_MISSING;
    value = *below;
    return PGAT_JSON_OTHER;
}

} // namespace

std::int32_t follow(ondemand::document &document, std::string_view pointer,
                    ondemand::value &value) {
    ondemand::json_type type{};
    if (document.type().get(type) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
    if (const auto kind = kind_of(type); kind != PGAT_JSON_ARRAY && kind != PGAT_JSON_OBJECT) {
        std::string_view text; // nothing lies below it, if it is anything
        return read_root(document, text) <= 0 ? PGAT_JSON_INVALID : PGAT_JSON_MISSING;
    }
    if (!pointer.empty() && pointer.front() != '/') return PGAT_JSON_MISSING;
    if (document.get_value().get(value) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
    std::string unescaped;
    while (!pointer.empty()) {
        const auto token = next_token(pointer, unescaped);
        if (!token) return PGAT_JSON_MISSING;
        if (const std::int32_t found = step(value, *token); found <= 0) return found;
    }
    return PGAT_JSON_OTHER;
}

} // namespace pgat::sinks
