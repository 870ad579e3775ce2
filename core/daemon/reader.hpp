// The replication thread: creates the slot if there is none, then reads its stream into chunks.
//
// While there is no room for more it stops reading, but it never stops answering: a standby status goes out every
// second whatever the sink does, with the confirmed position and nothing beyond it. It ends when the session
// halts; a failure is kept for the session's owner and ends the session.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/halt.hpp"
#include "base/identifiers.hpp"
#include "daemon/failure.hpp"
#include "daemon/handover.hpp"
#include "delivery/batcher.hpp"
#include "delivery/passage.hpp"
#include "outbox/snapshot.hpp"
#include "outbox/stream_event.hpp"
#include "outbox/stream_row.hpp"
#include "postgres/connection.hpp"
#include "replication/slot_limit.hpp"
#include "replication/stream.hpp"

namespace pgat::daemon {

struct ReaderPlan {
    StreamId stream;
    replication::StreamRequest request;
    // Create the slot first, as soon as `slots` allows one more.
    bool create_slot = false;
    replication::SlotLimit *slots = nullptr;
    // Further sessions with the server that the replication session is with.
    postgres::SessionOptions sql;
    outbox::Home home;
    // A chunk is handed on when it holds so much, or when the socket runs dry.
    std::size_t chunk_events = 256;
    std::size_t chunk_bytes = 262144;
};

class Reader {
  public:
    // Takes a replication session over. Chunks go to `passage`; `queue` is the one behind it, whose on_room
    // should call wake(), and is closed when the stream ends.
    Reader(ReaderPlan plan, delivery::ChunkQueue &queue, delivery::Passage &passage,
           const ConfirmedPosition &confirmed, Halt &halt, FirstFailure &failure);
    ~Reader();
    Reader(const Reader &) = delete;
    Reader &operator=(const Reader &) = delete;

    // Takes the slot on `session`. An existing one is taken before this returns (throws what
    // ReplicationStream does, 55006 if another daemon holds it); a new one is created on the thread.
    void start(postgres::Connection session);

    // The slot is ours and its stream begins. A new one has every transaction that its snapshot does not
    // see, and no other.
    struct Taken {
        Lsn position; // where a new one begins
        std::optional<outbox::Snapshot> created_at;
    };
    // Waits at most `time`; nothing: not yet.
    std::optional<Taken> taken_within(std::chrono::milliseconds time);

    // [any thread] There is room in the queue again, or the session halts.
    void wake() noexcept { bell_.ring(); }

    // Halts the session, sends the confirmed position, ends the stream properly, joins.
    void finish();

  private:
    void run(std::optional<postgres::Connection> session);
    bool create(postgres::Connection &session);
    void read();
    bool drain();
    void hand_on();
    void send_status();
    void require_a_sign_of_life(bool listening);

    const ReaderPlan plan_;
    delivery::ChunkQueue &queue_;
    delivery::Passage &passage_;
    const ConfirmedPosition &confirmed_;
    Halt &halt_;
    FirstFailure &failure_;
    Wakeup bell_;

    std::mutex mutex_;
    std::condition_variable taking_;
    std::optional<Taken> taken_;

    // Of the thread, once it runs.
    std::optional<replication::ReplicationStream> stream_;
    outbox::StreamEvents events_;
    std::shared_ptr<outbox::Chunk> chunk_;
    Lsn received_;
    std::chrono::steady_clock::time_point next_status_{};
    std::chrono::steady_clock::time_point heard_{}; // when the server last said anything
    std::atomic<bool> finishing_{false};
    std::thread thread_;
};

} // namespace pgat::daemon
