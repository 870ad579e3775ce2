// Delivers events again, on somebody's order: beside the stream, and with an end.
//
// Where the Dispatcher keeps a stream waiting, this gives up, on an event or on the sink, and says so:
//  - A call that fails is made again after the backoff, in which the sink's Retry-After is kept. Once `attempts`
//    calls in a row, over no less than max_backoff, have settled nothing, it gives up: on the events that
//    the sink asked for again if there were any, else on the sink.
//  - An event that is rejected is refused at once.
//  - A sink is given up too if it refuses event after event: `attempts` in a row in the first way, or
//    max_consecutive_rejected in the second.
// With each_once an event has one attempt, and may be refused however many were before it: dead letters have
// been refused before.
//
// What is refused is the caller's to keep. On the sink's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/backoff.hpp"
#include "base/halt.hpp"
#include "delivery/counts.hpp"
#include "delivery/group_keys.hpp"
#include "outbox/event.hpp"
#include "sinks/sink.hpp"

namespace pgat::delivery {

struct RedeliveryPolicy {
    StreamId stream;
    std::string group_key; // JSON pointer; empty: all events are one key
    std::uint32_t attempts;
    std::chrono::milliseconds initial_backoff;
    std::chrono::milliseconds max_backoff;
    std::uint32_t max_consecutive_rejected;
    std::chrono::milliseconds call_limit; // deadline of one publish()
    bool each_once = false;
};

// An event that was given up.
struct Refusal {
    std::size_t index;
    std::string reason;
    std::uint32_t attempts; // of this time
};

struct GivenUp {
    std::string reason;
    // The first event that was refused for what seems to be the sink's fault. None: it is the first unsettled.
    std::optional<outbox::Position> since;
};

// What became of the events; those neither delivered nor refused are as they were.
struct Redelivered {
    std::size_t prefix = 0; // so many events from the front are settled: delivered or refused
    std::vector<std::size_t> delivered;
    std::vector<Refusal> refused;
    std::optional<GivenUp> given_up; // on the sink
};

class Redelivery {
  public:
    // `counts` may be read by any thread.
    Redelivery(sinks::Sink &sink, RedeliveryPolicy policy, const Halt &halt,
               DeliveryCounts &counts);

    // Returns once every event is settled, the sink is given up, or the halt has rung and the call in hand
    // is over. `uid` is the stream's.
    Redelivered deliver(std::span<const outbox::Event *const> events, std::string_view uid);

  private:
    struct Item {
        std::uint32_t attempt = 1;
        bool settled = false;
        std::string_view id;
    };
    using Events = std::span<const outbox::Event *const>;

    void open(Events events, std::string_view uid);
    void offer(Events events);
    void take_outcomes(Events events);
    void blame_plugin(Events events);
    void settle_delivered(std::size_t index);
    void refuse(Events events, std::size_t index, std::string_view reason);
    // The last call settled nothing, and none is to follow.
    void lose_patience(Events events);
    bool patience_lost();
    void give_up(std::string reason);
    std::chrono::milliseconds wait_asked_for() const;
    std::string_view reason_of(std::size_t position) const;

    sinks::Sink &sink_;
    const RedeliveryPolicy policy_;
    const Halt &halt_;
    DeliveryCounts &counts_;
    GroupKeys keys_;
    Backoff backoff_;
    std::size_t window_ = 16; // most events of a call; grows while calls are quick
    // Calls in a row that settled nothing.
    std::uint32_t idle_calls_ = 0;
    std::chrono::steady_clock::time_point idle_since_{};
    // Since the last delivery.
    std::uint32_t rejected_in_row_ = 0;
    std::uint32_t exhausted_in_row_ = 0;
    std::optional<outbox::Position> refused_since_;

    // Of the events in hand; members so that their memory is kept.
    std::vector<Item> items_;
    std::vector<char> ids_;
    std::vector<sinks::OutgoingEvent> outgoing_;
    std::vector<std::size_t> offered_; // outgoing index → index
    std::vector<std::size_t> again_;   // outgoing indexes of what the last call wants again
    sinks::Outcomes outcomes_;
    std::string failure_; // why the last call was not a full success
    Redelivered result_;
};

} // namespace pgat::delivery
