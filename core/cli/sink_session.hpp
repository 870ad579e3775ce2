// A command that delivers: a sink instance of its own on a thread of its own, while the main thread takes the
// stop signals.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/halt.hpp"
#include "config/config.hpp"
#include "delivery/redelivery.hpp"
#include "postgres/connection.hpp"
#include "sinks/sink.hpp"

namespace pgat::cli {

// Runs `work` with the configured sink. SIGINT or SIGTERM halts it; then, as in the daemon, the sink's call in
// hand is cancelled half of shutdown_timeout_secs later or at a second signal. Throws what it throws, and
// Error where the sink cannot be had. If it does not end in time, `abandoned` is called and the process ends
// with status 1. `tick` is called every quarter of a second; both on the main thread.
struct SinkSession {
    std::function<void(sinks::Sink &)> work;
    std::function<void()> tick;
    std::function<void()> abandoned;
};
void run_with_sink(const config::Config &config, Halt &halt, const SinkSession &session);

// A session that outlives many calls of the sink, and whose commits wait for no standby: what is lost with one
// is delivered again.
postgres::SessionOptions sink_session_options(const config::Config &config,
                                              std::string_view command, const Wakeup *interrupt);

// The first part of every event's id. Throws Error (stop) if the database has no such stream.
std::string require_uid(postgres::Connection &sql, StreamId stream);

// What the configuration says about failures, as a redelivery knows it.
delivery::RedeliveryPolicy redelivery_policy(const config::Stream &stream);

} // namespace pgat::cli
