// What the stream's row says of an outage of the sink, for people and for `status`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "outbox/event.hpp"
#include "outbox/stream_row.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

// Where nothing is given the row keeps what it has, but for next_attempt.
struct FailoverState {
    std::optional<Position> first;  // the checkpoint: the lowest event known to be undelivered
    std::optional<Timestamp> since; // of an outage that the row tells of already, the row's is kept
    std::optional<std::string> reason;
    std::uint64_t waiting = 0;             // events
    std::optional<Timestamp> next_attempt; // none while the sink takes events
};

// Nothing: healthy again. Fenced as every write of the row is.
void store_failover(postgres::Connection &connection, const Ownership &ours,
                    const std::optional<FailoverState> &state);

} // namespace pgat::outbox
