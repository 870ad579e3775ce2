// Keeps events that the sink rejected for good in async_triggers.dead_letters.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/identifiers.hpp"
#include "outbox/event.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

// The texts are the caller's, and stay where they are during the call.
struct DeadLetter {
    Position at;
    std::string_view payload;
    std::string_view metadata; // empty: none
    std::string_view reason;
    std::uint32_t attempts = 1;
};

// All in one statement. An event that is there already gets the new reason, time and attempts.
void store_dead_letters(postgres::Connection &connection, StreamId stream,
                        std::span<const DeadLetter> letters);

} // namespace pgat::outbox
