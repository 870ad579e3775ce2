// One session, from the slot to the sink: the way of every event on one page.
//
//   Reader (replication thread)                      Housekeeping (its thread)
//     slot ─► stream ─► chunks ─► Passage ─► queue     captures      stored cursor
//                                              │           │               ▲
//   Pipeline (delivery thread)                 ▼           ▼               │
//     rounds from the table ─────────────► batches ─► Dispatcher ─► Progress
//                                                         │
//                                                  the sink's plugin
//
// run() waits while another daemon holds the slot, takes the stream, recovers from the table what the cursor
// does not hold, then streams; when the sink goes down it recovers again, as often as that happens. Meanwhile
// the stream's transactions pass, and their WAL is released. That goes on until the program is to end (it
// returns, the cursor stored) or something fails (it throws; the cursor stays in Memory). The next session is a
// new Pipeline.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "base/halt.hpp"
#include "config/config.hpp"
#include "daemon/failure.hpp"
#include "daemon/handover.hpp"
#include "daemon/housekeeping.hpp"
#include "daemon/lease.hpp"
#include "daemon/reader.hpp"
#include "daemon/situation.hpp"
#include "delivery/batcher.hpp"
#include "delivery/dispatcher.hpp"
#include "delivery/passage.hpp"
#include "delivery/progress.hpp"
#include "delivery/recovery.hpp"
#include "outbox/stream_row.hpp"
#include "postgres/connection.hpp"
#include "replication/server_identity.hpp"
#include "replication/slot.hpp"
#include "replication/slot_limit.hpp"
#include "sinks/crash_marker.hpp"

namespace pgat::daemon {

// What a living daemon knows between sessions: good if nobody else has taken the stream since, on the same
// server and timeline. Then a restart of Postgres makes no duplicates.
struct Memory {
    std::optional<outbox::Ownership> ownership;
    outbox::Cursor cursor;
    Lsn position;
    // The slot's stream could not be decoded: it is to be replaced.
    bool replace_slot = false;
    bool had_slot = false; // read one, of this name
    replication::SlotLimit slots;
    OldestUndelivered oldest_undelivered;
    // Events are delivered from the table for the sink was down: as the row says, or is about to. [any thread]
    std::atomic<bool> in_failover{false};
    // What the last run left behind, until it has been heard.
    sinks::CrashMarker *crash = nullptr;
};

class Pipeline {
  public:
    Pipeline(const config::Config &config, delivery::Dispatcher &dispatcher, Memory &memory,
             Situation &situation, Halt &halt);
    // What was released while transactions passed is remembered, however the session ended.
    ~Pipeline();
    Pipeline(const Pipeline &) = delete;
    Pipeline &operator=(const Pipeline &) = delete;

    // Throws Error; with SQLSTATE 55006 another daemon has just taken the slot.
    void run();

    // It got as far as streaming: what failed then is a new trouble.
    bool streamed() const noexcept { return streamed_; }

  private:
    // What a capture must see before the table has given all that the slot's stream will not.
    struct TakeOver {
        Lsn slot_position;
        std::optional<outbox::Snapshot> created_at; // a new slot: all that its creation saw
        std::optional<Xid> not_ours; // a slot not as we left it: all older transactions
    };

    void connect();
    void stand_by();
    void take_stream();
    std::optional<replication::Slot> look_at_slot();
    void report_slot_limit();
    std::optional<replication::Slot> usable_slot();
    void take_ownership();
    void take_crash_into_account();
    TakeOver examine_slot();

    void recover();
    bool await_sink();
    void look_at_slot_taken();
    outbox::Capture capture_for_round();
    void look_at_cover(const outbox::Capture &capture);
    bool finish_with_stream_paused(delivery::Recovery &recovery);
    bool deliver_replayed(const delivery::Batch &batch);

    void stream();
    void enter_failover(const delivery::Batch &batch, const delivery::Settled &settled,
                        delivery::Batcher &batcher);
    void settle_down();

    bool holds_too_much(const delivery::Batch &batch) const;
    delivery::Settled deliver(const delivery::Batch &batch, delivery::Holding holding);
    void store_rejections(std::span<const delivery::Rejection> rejections);
    void hand_over_cursor();
    // What is known of an outage, to those who tell people.
    void tell(const std::optional<outbox::Position> &first);

    const config::Config &config_;
    const config::Stream &settings_;
    const delivery::BatchLimits limits_;
    delivery::Dispatcher &dispatcher_;
    Memory &memory_;
    Situation &situation_;
    Halt &halt_;

    FirstFailure failure_;
    ConfirmedPosition confirmed_;
    std::optional<postgres::Connection> sql_;
    std::optional<postgres::Connection> replication_;
    int walsender_ = 0; // serves the replication session
    replication::ServerIdentity server_;
    outbox::StreamRow row_;        // as it was found
    std::optional<TakeOver> from_; // once the slot is ours
    bool dropped_slot_ = false;    // to be replaced
    bool covered_ = false;         // a capture saw all that the slot's stream does not give
    std::optional<delivery::ChunkQueue> queue_;
    std::optional<Situation::Watched> watched_queue_;
    std::optional<delivery::Passage> passage_;
    std::optional<Mailbox<outbox::Capture>> captures_;
    std::optional<delivery::Progress> progress_;
    std::optional<Lease> lease_;
    // Threads: declared last, so that they end first; and what wakes them, before anything of it goes.
    std::optional<Reader> reader_;
    std::optional<Housekeeping> housekeeping_;
    std::optional<Halt::Waker> waker_;
    bool streamed_ = false;
    std::chrono::steady_clock::time_point told_at_{};
    std::optional<outbox::Position> undelivered_; // the lowest known, in an outage
};

} // namespace pgat::daemon
