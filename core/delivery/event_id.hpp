// The id that a sink receives with an event: "<streams.uid>-<id>-<created_at in µs>". It is the same at
// every attempt and never used twice, so that a consumer can drop repeats.
#pragma once

#include <charconv>
#include <cstring>
#include <string_view>

#include "outbox/event.hpp"

namespace pgat::delivery {

// The most bytes write_event_id() needs beside the uid: two dashes and two 64-bit numbers with sign.
inline constexpr std::size_t event_id_room = 2 + 2 * 20;

// Writes the id to `to`, which has room for the uid and event_id_room bytes.
inline std::string_view write_event_id(char *to, std::string_view uid, const outbox::Position &at) {
    char *end = to;
    std::memcpy(end, uid.data(), uid.size());
    end += uid.size();
    *end++ = '-';
    end = std::to_chars(end, end + 20, at.id.value()).ptr;
    *end++ = '-';
    end = std::to_chars(end, end + 20, at.created_at.value()).ptr;
    return {to, static_cast<std::size_t>(end - to)};
}

} // namespace pgat::delivery
