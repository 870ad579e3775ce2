// How the daemon is right now, for whoever looks at it: metrics, the status page. Nothing decides by it.
//
// Told by the daemon's threads where something changes, never once an event; read by any. One lock, held for a
// copy and never across I/O.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/identifiers.hpp"
#include "daemon/survey.hpp"
#include "delivery/batcher.hpp"
#include "outbox/failover_state.hpp"

namespace pgat::daemon {

enum class Phase {
    starting,   // the sink is being set up
    connecting, // to Postgres
    standby,    // another daemon holds the slot
    recovering, // delivering from the table, the sink takes events
    streaming,
    disconnected, // a session with Postgres failed, the next one follows
};
std::string_view name_of(Phase phase) noexcept;

struct Trouble {
    std::string what;
    std::string hint;
    std::string sqlstate;
    Timestamp at;
};

struct SlotReplaced {
    Timestamp at;
    std::string reason;
};

class Situation {
  public:
    // A copy; all of one moment.
    struct View {
        Phase phase = Phase::starting;
        Timestamp since; // of the phase
        // Why the sink could not be set up, or the last session ended; nothing once one streams.
        std::optional<Trouble> trouble;
        bool failover = false; // events are delivered from the table for the sink was down
        std::optional<Timestamp> failover_since;
        std::optional<outbox::FailoverState> outage; // as the row was told of it last
        std::uint64_t failovers = 0;                 // since the daemon started
        double failover_seconds = 0;                 // likewise, the one that lasts included
        std::uint64_t sessions_lost = 0;
        std::uint64_t slots_replaced = 0;
        std::optional<SlotReplaced> slot_replaced; // the last one
        delivery::ChunkQueue::Bounds queue{0, 0};
        delivery::ChunkQueue::Bounds queue_limits{0, 0};
        std::optional<Survey> survey; // while this daemon holds the stream

        // This daemon reads the slot, or makes it: the stream is in its hands.
        bool ready() const noexcept {
            return phase == Phase::recovering || phase == Phase::streaming;
        }
    };
    View look() const;

    void enter(Phase phase);
    void sink_not_ready(const Error &error);
    // A session ended.
    void session_lost(const Error &error);
    // A slot that was there is replaced by a new one.
    void slot_replaced(std::string reason);
    // `since` is the row's, where it knows of the outage from before a restart.
    void failover(bool in_failover, std::optional<Timestamp> since = std::nullopt);
    void outage(std::optional<outbox::FailoverState> outage);
    void survey(Survey survey);

    // While it stands the queue is looked into.
    class Watched {
      public:
        Watched(Situation &situation, const delivery::ChunkQueue &queue,
                delivery::ChunkQueue::Bounds limits);
        ~Watched();
        Watched(const Watched &) = delete;
        Watched &operator=(const Watched &) = delete;

      private:
        Situation &situation_;
    };

  private:
    mutable std::mutex mutex_;
    View view_;
    double ended_failover_seconds_ = 0;
    Timestamp failover_noticed_; // by this daemon
    const delivery::ChunkQueue *queue_ = nullptr;
};

} // namespace pgat::daemon
