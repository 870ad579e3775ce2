// The identifiers that travel through every room.
#pragma once

#include <cstdint>

#include "base/distinct.hpp"

namespace pgat {

// A full 64-bit transaction id, Postgres's xid8: epoch and xid, never reused
// (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT).
using Xid = Distinct<struct XidTag, std::uint64_t>;

// async_triggers.events.id: from one sequence; within a row's history larger is later.
using EventId = Distinct<struct EventIdTag, std::int64_t>;

// stream.id: names the publication, the slot and the row of async_triggers.streams.
using StreamId = Distinct<struct StreamIdTag, std::int64_t>;

// A point in time as microseconds since 1970-01-01 00:00 UTC, Postgres's resolution.
using Timestamp = Distinct<struct TimestampTag, std::int64_t>;

} // namespace pgat
