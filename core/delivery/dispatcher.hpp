// Delivers one batch to the sink: calls it until every event is settled, the sink is down, or the daemon halts.
//
// Policy of a failed call, whatever the verdicts: wait (the sink's retry_after, else a jittered backoff),
// then offer what is not settled again, in order. After `attempts` failed calls in a row the sink is down:
// deliver() returns, and says in outage() when it is worth calling again; until a call succeeds there is one
// at a time, and of one event where the sink cannot be asked how it is. An event is charged an attempt only when the failure was its own; one charged max_event_attempts
// times, or rejected, becomes a dead letter, stored before the batch counts it as settled. A sink that rejects
// everything is taken for broken: after max_consecutive_rejected dead letters in a row, rejections are failed
// calls until something is delivered again.
//
// Where rejected events block the stream, a call has one event a key: the sink would go on behind the one that
// it rejects.
//
// With a group_key, while streaming, an event that must be offered again holds back its own key alone: the call
// counts as failed only if it delivered nothing though it offered other keys, too. deliver() returns when all
// that is left of the batch must wait; what comes next is put behind it.
//
// Lives as long as the daemon, on the delivery thread: failures in a row, and the attempts an event is charged
// with, are counted across batches.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "base/halt.hpp"
#include "delivery/batch.hpp"
#include "delivery/counts.hpp"
#include "delivery/crash_record.hpp"
#include "delivery/held_keys.hpp"
#include "delivery/offer.hpp"
#include "delivery/sink_health.hpp"
#include "sinks/sink.hpp"

namespace pgat::delivery {

struct DispatchPolicy {
    StreamId stream;
    std::string group_key;  // JSON pointer; empty: the whole stream is one key
    std::uint32_t attempts; // failed calls in a row before the sink is down
    std::chrono::milliseconds initial_backoff;
    std::chrono::milliseconds max_backoff;
    std::uint32_t max_event_attempts;
    bool dead_letters; // false: a rejected event blocks the stream until it is taken
    std::uint32_t max_consecutive_rejected;
    std::chrono::milliseconds call_limit; // deadline of one publish()
    std::uint32_t most_at_once = 0;       // events in one call; 0: no limit
};

struct Rejection {
    const outbox::Event *event;
    std::string reason;
    std::uint32_t attempts;
};

// Commits the rejections as dead letters; throws Error if it could not.
using StoreRejections = std::function<void(std::span<const Rejection>)>;

// Throws Error if the stream is not ours any more.
using RequireLease = std::function<void()>;

// How far a batch got: all of it, unless keys are held back, the sink is down, or the daemon halted.
struct Settled {
    std::size_t prefix = 0;             // so many events from the front are settled
    std::vector<std::size_t> delivered; // and these beyond, by index
    bool whole = false;
    // Dead letters could not be stored, and are not settled; or the stream is not ours any more.
    std::optional<Error> failure;

    // Are all events in [first, last) settled?
    bool all_between(std::size_t first, std::size_t last) const noexcept;
};

// Of the batch's events that are not settled, the lowest in the table's order; nothing: all are.
std::optional<outbox::Position> lowest_unsettled(const Batch &batch, const Settled &settled);

// Are keys held back? A replay goes by the order of ids, and waits for each event.
enum class Holding { nothing, keys };

class Dispatcher {
  public:
    Dispatcher(sinks::Sink &sink, const DispatchPolicy &policy, const Halt &halt,
               DeliveryCounts &counts);

    // `uid` is the stream's, the first part of every event's id. `require_lease` is asked before every call
    // of the sink, the second and later ones of a batch included: a daemon that lost its stream while the
    // sink made it wait would deliver behind the next one's back.
    Settled deliver(const Batch &batch, std::string_view uid, const StoreRejections &store,
                    const RequireLease &require_lease = {}, Holding holding = Holding::nothing);

    // Events at which the sink has crashed the daemon, as they are now in the database.
    void set_crashed_events(std::vector<outbox::CrashedEvent> events) {
        crashes_.set(std::move(events));
    }
    // Of them, those that the database need not hold any longer; asked after deliver().
    std::vector<outbox::Position> take_forgotten_crashes() { return std::move(forgotten_crashes_); }

    const HeldKeys &held_keys() const noexcept { return held_; }
    // Their events are not in the batch any more, or not to be waited for.
    void forget_held_keys() noexcept { held_.clear(); }
    // More is held back than can be: the sink counts as down.
    void give_up_holding();

    // Set from the call that made the sink count as down until one succeeds.
    const std::optional<Outage> &outage() const noexcept { return health_.outage(); }
    // In an outage: a sink that can be asked how it is, is asked before it is offered a batch. False, and the
    // next attempt put off, if it does not answer well.
    bool worth_a_call();

    DeliveryCounts &counts() noexcept { return counts_; }

    // Asks an idle sink how it is, so that it can serve its heartbeats. Only logs.
    void probe();

  private:
    void open(const Batch &batch, std::string_view uid);
    void note_in_hand(const Batch &batch);
    // One call; false: nothing may be offered now.
    bool offer(const Batch &batch, const RequireLease &require_lease);
    // Takes the verdicts of one call.
    void take_outcomes(const Batch &batch, const StoreRejections &store);
    // Gives up events that crashed the sink too often.
    void reject_crashed(const Batch &batch, const StoreRejections &store);
    // Narrows what was picked to what may share a call. False: an event is in front that must wait.
    bool separate_suspects(const Batch &batch);
    void store_rejected(const std::vector<Rejection> &rejected, const StoreRejections &store);
    void charge(const Batch &batch, std::size_t index, const std::string &why,
                std::vector<Rejection> &rejected);
    void reject(const Batch &batch, std::size_t index, const std::string &why,
                std::vector<Rejection> &rejected);
    bool rejecting_everything() const noexcept {
        return consecutive_rejected_ >= policy_.max_consecutive_rejected;
    }
    // How long to wait before the next call.
    std::chrono::milliseconds note_failure(std::chrono::milliseconds asked_to_wait);
    // The call at hand offered it in vain.
    void failed(std::size_t position);
    void report_held();
    std::string_view reason_of(std::size_t position) const;

    sinks::Sink &sink_;
    const DispatchPolicy policy_;
    Offer offer_;
    HeldKeys held_;
    const Halt &halt_;
    DeliveryCounts &counts_;
    SinkHealth health_;
    CrashRecord crashes_;
    std::vector<outbox::Position> forgotten_crashes_;
    std::uint32_t consecutive_rejected_ = 0;
    std::unordered_map<EventId, std::uint32_t>
        charged_; // attempts of events in hand, where not the first

    // Of the batch in hand; members so that their memory is kept.
    std::vector<Item> items_;
    std::size_t first_ = 0; // all before it is settled
    std::vector<char> ids_;
    std::size_t last_delivered_ = 0; // by the last call; batch index, 0: none, or the first
    sinks::Outcomes outcomes_;
    std::vector<std::size_t> rejecting_; // indexes of the rejections being stored
    // Of the last call.
    Holding holding_ = Holding::nothing;
    bool away_ = false; // the sink itself failed, not single events
    std::uint64_t delivered_ = 0;
    std::string failure_;      // why it was not a success
    std::string held_failure_; // why keys are held back since
    std::string held_reason_;  // the last of these of any call
    std::chrono::steady_clock::time_point next_held_report_{};
};

} // namespace pgat::delivery
