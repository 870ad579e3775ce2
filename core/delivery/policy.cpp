#include "delivery/policy.hpp"

namespace pgat::delivery {

DispatchPolicy dispatch_policy(const config::Stream &stream) {
    return {stream.id,
            stream.group_key,
            stream.retry.attempts,
            stream.retry.initial_backoff,
            stream.retry.max_backoff,
            stream.retry.max_event_attempts,
            stream.on_rejected == config::OnRejected::dead_letter,
            stream.max_consecutive_rejected,
            stream.call_timeout,
            static_cast<std::uint32_t>(stream.batch.max_size)};
}

} // namespace pgat::delivery
