// A sink as the delivery loop sees it: one call a batch, an outcome an event, a status for the sink
// as a whole. PluginSink is the one the daemon uses; it speaks the C ABI of plugin-api/.
//
// Threads: an instance is made, used and destroyed on one thread; cancel() alone may come from any.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/identifiers.hpp"
#include "base/lsn.hpp"

namespace pgat::sinks {

// One event on its way out. The text is the caller's and stays where it is until publish() returns.
struct OutgoingEvent {
    std::uint32_t attempt = 1;
    std::string_view id;      // "<streams.uid>-<id>-<created_at in µs>", the same at every attempt
    std::string_view key;     // ordering key; empty: ordered with the whole stream
    std::string_view payload; // JSON as Postgres printed it
    std::string_view metadata; // JSON, or empty
    StreamId stream;
    Xid xid;
    Lsn commit_lsn; // invalid when read from the table
    Timestamp created_at;
};

enum class Verdict : std::uint8_t {
    not_attempted,
    delivered,
    retry,    // this event failed and may work later; it is charged an attempt
    rejected, // it can never work
};

// What a call said about the sink itself.
enum class Status {
    ok,
    unavailable,   // peer down or throttling: no event is charged an attempt
    cancelled,     // stopped early, by cancel() or the deadline
    broken,        // the instance is unusable; the first unsettled event is charged an attempt
    misconfigured, // from the constructor only: this configuration can never work
    unsupported,   // likewise: it needs what this host does not offer
};

// Why an event was not delivered; only events with something to say have one.
struct Reason {
    std::uint32_t index;
    std::string text;
    std::chrono::milliseconds retry_after{0}; // not before; 0: the caller's backoff
};

// The outcome of one publish(). Reused from call to call, so that it allocates nothing in the long
// run.
struct Outcomes {
    Status status = Status::ok;
    std::string reason; // unless ok
    std::chrono::milliseconds retry_after{0};
    std::vector<Verdict> verdicts; // one an event
    std::vector<Reason> reasons;   // ascending by index
};

class Sink {
  public:
    virtual ~Sink() = default;

    // Most events one publish() may be given; 0: no limit.
    virtual std::uint32_t max_batch() const noexcept = 0;

    // Delivers what it can by the deadline and says what became of each event. At least one event.
    virtual void publish(std::span<const OutgoingEvent> events,
                         std::chrono::steady_clock::time_point deadline, Outcomes &outcomes) = 0;

    // Asks the sink whether it can take events, and lets it serve its heartbeats. ok where it
    // cannot tell.
    virtual bool has_probe() const noexcept = 0;
    virtual Status probe(std::chrono::steady_clock::time_point deadline, std::string &reason,
                         std::chrono::milliseconds &retry_after) = 0;

    // [any thread] Makes a publish() or probe() that is running return soon. Never resets.
    virtual void cancel() noexcept = 0;
};

} // namespace pgat::sinks
