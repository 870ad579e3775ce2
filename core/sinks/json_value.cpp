#include "sinks/json_value.hpp"

#include <type_traits>
#include <utility>

#include <pgat/sink.h>

namespace pgat::sinks {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr int max_depth = 1000; // that is_valid() follows

std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view blank = " \t\r\n";
    const auto begin = text.find_first_not_of(blank);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

// The grammar of RFC 8259; simdjson's own check would round, and refuse what does not fit a double.
bool is_number(std::string_view text) noexcept {
    std::size_t at = 0;
    const auto skip = [&](std::string_view any_of) {
        const bool found = at < text.size() && any_of.find(text[at]) != std::string_view::npos;
        at += found ? 1 : 0;
        return found;
    };
    const auto digits = [&] {
        const std::size_t begin = at;
        while (skip("0123456789")) {
        }
        return at > begin;
    };
    skip("-");
    if (!skip("0") && !digits()) return false;
    if (skip(".") && !digits()) return false;
    if (skip("eE")) {
        skip("+-");
        if (!digits()) return false;
    }
    return at == text.size();
}

bool is_scalar(std::int32_t kind, std::string_view text) noexcept {
    switch (kind) {
    case PGAT_JSON_NUMBER:
        return is_number(text);
    case PGAT_JSON_BOOL:
        return text == "true" || text == "false";
    case PGAT_JSON_NULL:
        return text == "null";
    default:
        return false;
    }
}

// Kind and text of a value or a whole document; strings as they stand in the parser's buffer.
template <class Value>
std::int32_t read(Value &value, std::string_view &text) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
    const std::int32_t kind = kind_of(type);
    if (kind == PGAT_JSON_STRING)
        return value.get_string().get(text) == simdjson::SUCCESS ? kind : PGAT_JSON_INVALID;
    if (kind == PGAT_JSON_ARRAY || kind == PGAT_JSON_OBJECT) {
        if (simdjson::to_json_string(value).get(text) != simdjson::SUCCESS)
            return PGAT_JSON_INVALID;
        text = trimmed(text);
        return text.size() >= 2 && text.back() == (kind == PGAT_JSON_ARRAY ? ']' : '}')
                   ? kind
                   : PGAT_JSON_INVALID;
    }
    std::string_view token;
    if (simdjson::simdjson_result<std::string_view>(value.raw_json_token()).get(token) !=
        simdjson::SUCCESS)
        return PGAT_JSON_INVALID;
    text = trimmed(token);
    return is_scalar(kind, text) ? kind : PGAT_JSON_INVALID;
}

template <class Value>
bool valid(Value &value, int depth);

template <class Container>
bool valid_members(Container &container, int depth) {
    for (auto member : container) {
        if constexpr (std::is_same_v<Container, ondemand::object>) {
            ondemand::field field;
            std::string_view key;
            if (std::move(member).get(field) || field.unescaped_key().get(key)) return false;
            if (!valid(field.value(), depth + 1)) return false;
        } else {
            ondemand::value element;
            if (std::move(member).get(element) || !valid(element, depth + 1)) return false;
        }
    }
    return true;
}

template <class Value>
bool valid(Value &value, int depth) {
    ondemand::json_type type{};
    if (depth > max_depth || value.type().get(type) != simdjson::SUCCESS) return false;
    if (type == ondemand::json_type::object) {
        ondemand::object object;
        return value.get_object().get(object) == simdjson::SUCCESS && valid_members(object, depth);
    }
    if (type == ondemand::json_type::array) {
        ondemand::array array;
        return value.get_array().get(array) == simdjson::SUCCESS && valid_members(array, depth);
    }
    std::string_view text;
    return read(value, text) > 0;
}

} // namespace

std::int32_t kind_of(ondemand::json_type type) noexcept {
    switch (type) {
    case ondemand::json_type::null:
        return PGAT_JSON_NULL;
    case ondemand::json_type::boolean:
        return PGAT_JSON_BOOL;
    case ondemand::json_type::number:
        return PGAT_JSON_NUMBER;
    case ondemand::json_type::string:
        return PGAT_JSON_STRING;
    case ondemand::json_type::array:
        return PGAT_JSON_ARRAY;
    case ondemand::json_type::object:
        return PGAT_JSON_OBJECT;
    }
    return PGAT_JSON_INVALID;
}

std::int32_t read_value(ondemand::value &value, std::string_view &text) {
    return read(value, text);
}

std::int32_t read_root(ondemand::document &document, std::string_view &text) {
    return read(document, text);
}

bool is_valid(ondemand::document &document, std::string_view source) {
    ondemand::json_type type{};
    if (document.type().get(type) != simdjson::SUCCESS) return false;
    const std::int32_t kind = kind_of(type);
    if (kind == PGAT_JSON_NUMBER || kind == PGAT_JSON_BOOL || kind == PGAT_JSON_NULL)
        return is_scalar(kind, trimmed(source));
    return valid(document, 0) && document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

} // namespace pgat::sinks
