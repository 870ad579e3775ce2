// What there is of a stream in the database, and its removal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/identifiers.hpp"
#include "config/config.hpp"
#include "postgres/connection.hpp"
#include "replication/slot.hpp"

namespace pgat::cli {

struct Retirement {
    StreamId stream;
    std::optional<replication::Slot> slot;
    bool publication = false;
    bool row = false;
    std::int64_t subscriptions = 0;
    bool events = false;
    std::optional<std::int64_t> undelivered; // of them, as far as the row tells

    bool nothing() const noexcept {
        return !slot && !publication && !row && subscriptions == 0 && !events;
    }
};

enum class Events { removed, kept };

// `configured` says the slot's name where it is the same stream; else the slot has the default name.
Retirement plan_one(postgres::Connection &sql, const config::Stream &configured, StreamId stream,
                    Events events);
// Every stream that has a row, a subscription or a publication here; and events, if they are to go.
std::vector<Retirement> plan_all(postgres::Connection &sql, const config::Stream &configured,
                                 Events events);

// For people, a line each.
std::vector<std::string> to_lines(const Retirement &stream);

// Throws Error if a daemon holds the slot, or the slot is not ours.
void require_unused(const Retirement &stream);

// Drops the slot first, which fails while anybody reads it; then the events, while the row still says
// which are delivered; then the rest in one transaction. May be repeated after it failed half-way.
void retire(postgres::Connection &sql, const Retirement &stream);

} // namespace pgat::cli
