// Which events the command line means.
#pragma once

#include <string>

#include "cli/program.hpp"
#include "outbox/stored_events.hpp"

namespace pgat::cli::replay {

// As they were typed; empty: not given.
struct RangeWords {
    std::string from;
    std::string to;
    std::string subscription;
};

// A number is an event's id; a time names its zone. Throws Error (configure).
outbox::EventRange range_of(const RangeWords &words, StreamId stream);

// Throws Error (configure) if events cannot be told by this subscription: its extensions write over tg_name. Or
// if `found` says that there are none, and there is no such subscription.
void require_subscription(postgres::Connection &sql, const outbox::EventRange &range, bool found);

} // namespace pgat::cli::replay
