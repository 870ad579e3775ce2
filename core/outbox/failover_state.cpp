#include "outbox/failover_state.hpp"

#include "base/fault_point.hpp"
#include "outbox/time_text.hpp"

namespace pgat::outbox {

void store_failover(postgres::Connection &connection, const Ownership &ours,
                    const std::optional<FailoverState> &state) {
    if (!state) {
        fault_point("failover_clearing");
        write_stream_row(connection, ours,
                         "failover_checkpoint_id = null, failover_checkpoint_ts = null, "
                         "failover_since = null, failover_reason = null, "
                         "failover_waiting = null, next_attempt_at = null",
                         {});
        fault_point("failover_cleared");
        return;
    }
    const auto text = [](const std::optional<Timestamp> &time) {
        return time ? std::optional(time_text(*time)) : std::nullopt;
    };
    std::optional<EventId> first;
    std::optional<std::string> first_at;
    if (state->first) {
        first = state->first->id;
        first_at = time_text(state->first->created_at);
    }
    fault_point("failover_storing");
    write_stream_row(connection, ours,
                     "failover_checkpoint_id = coalesce($3::bigint, failover_checkpoint_id), "
                     "failover_checkpoint_ts = coalesce($4::timestamptz, failover_checkpoint_ts), "
                     "failover_since = coalesce(failover_since, $5::timestamptz), "
                     "failover_reason = coalesce($6, failover_reason), "
                     "failover_waiting = $7::bigint, next_attempt_at = $8::timestamptz",
                     {first, first_at, text(state->since), state->reason, state->waiting,
                      text(state->next_attempt)});
    fault_point("failover_stored");
}

} // namespace pgat::outbox
