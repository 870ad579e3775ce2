// Walking the members of a JSON object or array with simdjson On-Demand, for look-ups and pointers alike.
//
// A visitor says by Walk whether to go on. What it is given is good until it returns.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include <pgat/sink.h>
#include <simdjson.h>

namespace pgat::sinks {

enum class Walk { on, enough, invalid };

// Each field of an object, as visit(value, unescaped key). PGAT_JSON_OBJECT, or PGAT_JSON_INVALID.
template <class Visitor>
std::int32_t walk_object(simdjson::ondemand::value &value, Visitor visit) {
    simdjson::ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
    for (auto member : object) {
        simdjson::ondemand::field field;
        std::string_view key;
        if (std::move(member).get(field) || field.unescaped_key().get(key))
            return PGAT_JSON_INVALID;
        const Walk walk = visit(field.value(), key);
        if (walk == Walk::invalid) return PGAT_JSON_INVALID;
        if (walk == Walk::enough) break;
    }
    return PGAT_JSON_OBJECT;
}

// Each element of an array, as visit(value). PGAT_JSON_ARRAY, or PGAT_JSON_INVALID.
template <class Visitor>
std::int32_t walk_array(simdjson::ondemand::value &value, Visitor visit) {
    simdjson::ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
    for (auto member : array) {
        simdjson::ondemand::value element;
        if (std::move(member).get(element) != simdjson::SUCCESS) return PGAT_JSON_INVALID;
        const Walk walk = visit(element);
        if (walk == Walk::invalid) return PGAT_JSON_INVALID;
        if (walk == Walk::enough) break;
    }
    return PGAT_JSON_ARRAY;
}

} // namespace pgat::sinks
