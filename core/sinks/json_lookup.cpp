#include "sinks/json_lookup.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include <pgat/sink.h>
#include <simdjson.h>

#include "sinks/json_members.hpp"
#include "sinks/json_value.hpp"

namespace pgat::sinks {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t answers_block = 16384;
constexpr std::size_t keep_capacity = std::size_t{4} << 20; // of a slot from call to call

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

    // Back to its start; false where an error ended it.
    bool rewind() noexcept {
        if (!document.is_alive()) return false;
        document.rewind();
        return true;
    }

    bool parse(std::string_view from, Lifetime of) {
        source = {};
        if (capacity < from.size() + simdjson::SIMDJSON_PADDING) {
            const std::size_t spare = std::clamp<std::size_t>(from.size() / 2, 4096, 1 << 20);
            const std::size_t wanted = from.size() + spare + simdjson::SIMDJSON_PADDING;
            capacity = 0;
            text = std::make_unique_for_overwrite<char[]>(wanted);
            if (parser.allocate(wanted) != simdjson::SUCCESS) throw std::bad_alloc();
            capacity = wanted;
        }
        std::memcpy(text.get(), from.data(), from.size());
        std::memset(text.get() + from.size(), 0, simdjson::SIMDJSON_PADDING);
        if (parser.iterate(text.get(), from.size(), capacity).get(document) != simdjson::SUCCESS)
            return false;
        if (of == Lifetime::passing && !is_valid(document, from)) return false;
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
            return slots_[i]->rewind() ? slots_[i].get() : nullptr;
        }
    newest_ = (newest_ + 1) % slots_.size();
    auto &slot = slots_[newest_];
    if (!slot) slot = std::make_unique<Slot>();
    return slot->parse(document, lifetime) && slot->rewind() ? slot.get() : nullptr;
}

std::string_view JsonLookup::keep(std::string_view text) {
    if (text.empty()) return {};
    auto *copy = static_cast<char *>(answers_.allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
}

std::string_view JsonLookup::find(std::string_view document, Lifetime lifetime,
                                  std::string_view pointer) {
    std::string_view text;
    return get(document, lifetime, pointer, text) > PGAT_JSON_NULL ? text : std::string_view{};
}

std::int32_t JsonLookup::get(std::string_view document, Lifetime lifetime, std::string_view pointer,
                             std::string_view &text) {
    Slot *slot = index(document, lifetime);
    if (slot == nullptr) return PGAT_JSON_INVALID;
    std::string_view found;
    std::int32_t kind = PGAT_JSON_MISSING;
    if (pointer.empty()) {
        kind = read_root(slot->document, found);
    } else {
        ondemand::value value;
        kind = follow(slot->document, pointer, value);
        if (kind > 0) kind = read_value(value, found);
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
    bool scalar = false;
    if (slot->document.is_scalar().get(scalar) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
    if (std::string_view text; scalar && pointer.empty()) return read_root(slot->document, text);

    ondemand::value value;
    ondemand::json_type type{};
    if (const std::int32_t found = follow(slot->document, pointer, value); found <= 0) return found;
    if (value.type().get(type) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
    const auto hand_over = [&](ondemand::value &member, std::string_view key) {
        std::string_view text;
        const std::int32_t kind = read_value(member, text);
        if (kind <= 0) return Walk::invalid;
        text = kind != PGAT_JSON_STRING && lifetime == Lifetime::lasting ? slot->in_source(text)
                                                                         : keep(text);
        return visit(arg, keep(key), kind, text) == 0 ? Walk::on : Walk::enough;
    };
    if (type == ondemand::json_type::object) return walk_object(value, hand_over);
    if (type == ondemand::json_type::array)
        return walk_array(value, [&](ondemand::value &element) { return hand_over(element, {}); });
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
