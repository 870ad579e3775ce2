#include "sinks/json_lookup.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <new>
#include <optional>
#include <string>

#include <pgat/sink.h>
#include <simdjson.h>

namespace pgat::sinks {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t answers_block = 16384;
constexpr std::size_t keep_capacity = std::size_t{4} << 20;
constexpr int max_depth = 1000; // of a passing document

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

// Whether all of a document is JSON, nothing before or after it. Leaves it read to its end.
bool valid_document(ondemand::document &document, std::string_view whole) {
    ondemand::json_type type{};
    if (document.type().get(type) != simdjson::SUCCESS) return false;
    const std::int32_t kind = kind_of(type);
    if (kind == PGAT_JSON_NUMBER || kind == PGAT_JSON_BOOL || kind == PGAT_JSON_NULL)
        return is_scalar(kind, whole);
    return valid(document, 0) && document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

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
    if (type == ondemand::json_type::object) {
        ondemand::object object;
        if (value.get_object().get(object) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
        for (auto member : object) {
            ondemand::field field;
            std::string_view key;
            if (std::move(member).get(field) || field.unescaped_key().get(key))
                return PGAT_JSON_INVALID;
            if (key != token) continue;
            value = field.value();
            return PGAT_JSON_OTHER;
        }
    } else if (type == ondemand::json_type::array) {
        const auto index = to_index(token);
        ondemand::array array;
        if (value.get_array().get(array) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
        std::size_t at = 0;
        for (auto member : array) {
            if (!index) break;
            ondemand::value element;
            if (std::move(member).get(element) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
            if (at++ != *index) continue;
            value = element;
            return PGAT_JSON_OTHER;
        }
    }
    return PGAT_JSON_MISSING;
}

// Follows a pointer that is not empty, from the root of a document that is an array or an object.
std::int32_t follow(ondemand::document &document, std::string_view pointer,
                    ondemand::value &value) {
    if (document.get_value().get(value) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
    std::string unescaped;
    while (!pointer.empty()) {
        const auto token = next_token(pointer, unescaped);
        if (!token) return PGAT_JSON_MISSING;
        const std::int32_t found = step(value, *token);
        if (found <= 0) return found;
    }
    return PGAT_JSON_OTHER;
}

std::int32_t root_kind(ondemand::document &document) {
    ondemand::json_type type{};
    return document.type().get(type) == simdjson::SUCCESS ? kind_of(type) : PGAT_JSON_INVALID;
}

} // namespace

// A document copied to where the parser may read beyond its end, and its index.
struct JsonLookup::Slot {
    std::unique_ptr<char[]> text;
    std::size_t capacity = 0;
    std::string_view source; // where it was copied from
    Lifetime lifetime = Lifetime::passing;
    ondemand::parser parser;
    ondemand::document document;

    bool holds(std::string_view other) const noexcept {
        return lifetime == Lifetime::lasting && source.data() == other.data() &&
               source.size() == other.size();
    }

    bool parse(std::string_view from, Lifetime of) {
        source = {};
        if (capacity < from.size() + simdjson::SIMDJSON_PADDING) {
            capacity = std::max<std::size_t>(from.size() + from.size() / 2, 4096) +
                       simdjson::SIMDJSON_PADDING;
            text = std::make_unique_for_overwrite<char[]>(capacity);
            if (parser.allocate(capacity) != simdjson::SUCCESS) throw std::bad_alloc();
        }
        std::memcpy(text.get(), from.data(), from.size());
        std::memset(text.get() + from.size(), 0, simdjson::SIMDJSON_PADDING);
        if (parser.iterate(text.get(), from.size(), capacity).get(document) != simdjson::SUCCESS)
            return false;
        if (of == Lifetime::passing && !valid_document(document, trimmed(from))) return false;
        source = from;
        lifetime = of;
        return true;
    }

    // What stands in our copy, in the text that was copied.
    std::string_view in_source(std::string_view part) const noexcept {
        return source.substr(static_cast<std::size_t>(part.data() - text.get()), part.size());
    }
};

JsonLookup::JsonLookup()
    : first_block_(answers_block), answers_(first_block_.data(), first_block_.size()) {}

JsonLookup::~JsonLookup() = default;

JsonLookup::Slot *JsonLookup::index(std::string_view document, Lifetime lifetime) {
    if (document.empty()) return nullptr;
    for (std::size_t i = 0; i < slots_.size(); ++i)
        if (slots_[i] && lifetime == Lifetime::lasting && slots_[i]->holds(document)) {
            newest_ = i;
            slots_[i]->document.rewind();
            return slots_[i].get();
        }
    newest_ = (newest_ + 1) % slots_.size();
    auto &slot = slots_[newest_];
    if (!slot) slot = std::make_unique<Slot>();
    if (!slot->parse(document, lifetime)) return nullptr;
    slot->document.rewind();
    return slot.get();
}

std::string_view JsonLookup::keep(std::string_view text) {
    if (text.empty()) return {};
    auto *copy = static_cast<char *>(answers_.allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
}

std::int32_t JsonLookup::get(std::string_view document, Lifetime lifetime, std::string_view pointer,
                             std::string_view &text) {
    Slot *slot = index(document, lifetime);
    if (slot == nullptr) return PGAT_JSON_INVALID;
    const std::int32_t root = root_kind(slot->document);
    if (root < 0 || (!pointer.empty() && pointer.front() != '/'))
        return root < 0 ? root : PGAT_JSON_MISSING;

    std::string_view found;
    std::int32_t kind = PGAT_JSON_MISSING;
    if (pointer.empty()) {
        kind = read(slot->document, found);
    } else if (root == PGAT_JSON_ARRAY || root == PGAT_JSON_OBJECT) {
        ondemand::value value;
        kind = follow(slot->document, pointer, value);
        if (kind > 0) kind = read(value, found);
    }
    if (kind <= 0) return kind;
    text = kind != PGAT_JSON_STRING && lifetime == Lifetime::lasting ? slot->in_source(found)
                                                                     : keep(found);
    return kind;
}

std::int32_t JsonLookup::each(std::string_view document, Lifetime lifetime,
                              std::string_view pointer, Visit visit, void *arg) {
    Slot *slot = index(document, lifetime);
    if (slot == nullptr) return PGAT_JSON_INVALID;
    const std::int32_t root = root_kind(slot->document);
    if (root != PGAT_JSON_ARRAY && root != PGAT_JSON_OBJECT)
        return root < 0 || pointer.empty() ? root : PGAT_JSON_MISSING;
    if (!pointer.empty() && pointer.front() != '/') return PGAT_JSON_MISSING;

    ondemand::value value;
    ondemand::json_type type{};
    if (const std::int32_t found = follow(slot->document, pointer, value); found <= 0) return found;
    if (value.type().get(type) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
    const auto hand_over = [&](ondemand::value &member, std::string_view key, bool &more) {
        std::string_view text;
        const std::int32_t kind = read(member, text);
        if (kind <= 0) return false;
        text = kind != PGAT_JSON_STRING && lifetime == Lifetime::lasting ? slot->in_source(text)
                                                                         : keep(text);
        more = visit(arg, keep(key), kind, text) == 0;
        return true;
    };
    bool more = true;
    if (type == ondemand::json_type::object) {
        ondemand::object object;
        if (value.get_object().get(object) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
        for (auto member : object) {
            ondemand::field field;
            std::string_view key;
            if (std::move(member).get(field) || field.unescaped_key().get(key) ||
                !hand_over(field.value(), key, more))
                return PGAT_JSON_INVALID;
            if (!more) break;
        }
    } else if (type == ondemand::json_type::array) {
        ondemand::array array;
        if (value.get_array().get(array) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
        for (auto member : array) {
            ondemand::value element;
            if (std::move(member).get(element) || !hand_over(element, {}, more))
                return PGAT_JSON_INVALID;
            if (!more) break;
        }
    }
    return kind_of(type);
}

void JsonLookup::clear() noexcept {
    answers_.release();
    for (auto &slot : slots_) {
        if (!slot) continue;
        slot->source = {};
        if (slot->capacity > keep_capacity) slot.reset();
    }
}

} // namespace pgat::sinks
