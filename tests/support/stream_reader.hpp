// Reads a replication stream as the daemon does: whatever comes, a status at least twice a second.
#pragma once

#include <chrono>
#include <functional>
#include <variant>

#include "outbox/stream_event.hpp"
#include "replication/stream.hpp"

namespace pgat::support {

class StreamReader {
  public:
    StreamReader(replication::ReplicationStream &stream, StreamId id)
        : stream_(stream), events_(id) {}

    outbox::Chunk chunk; // what was read and not yet taken away
    Lsn keepalive;       // the position of the newest

    // Reads until `done` holds, which is asked after each message. False: not within `limit`.
    bool until(const std::function<bool()> &done,
               std::chrono::milliseconds limit = std::chrono::seconds(60)) {
        const auto deadline = Clock::now() + limit;
        while (!done()) {
            if (const auto frame = stream_.next()) {
                add(*frame);
            } else if (Clock::now() >= deadline) {
                return false;
            } else {
                stream_.poll(next_status_);
            }
            send_status_if_due();
        }
        return true;
    }
    bool until_events(std::size_t count) {
        return until([&] { return chunk.events.size() >= count && !events_.in_transaction(); });
    }

    // Lets `time` pass without reading anything.
    void let_pass(std::chrono::milliseconds time) {
        const auto deadline = Clock::now() + time;
        while (Clock::now() < deadline) {
            stream_.poll(std::min(deadline, next_status_),
                         replication::ReplicationStream::Interest::none);
            send_status_if_due();
        }
    }

    // From now on each status confirms everything up to `position`.
    void confirm(Lsn position) {
        confirmed_ = position;
        stream_.send_status(position, position);
    }

  private:
    using Clock = std::chrono::steady_clock;

    void add(const replication::Frame &frame) {
        if (const auto *wal = std::get_if<replication::WalData>(&frame)) {
            events_.add(wal->bytes, chunk);
        } else {
            const auto &alive = std::get<replication::Keepalive>(frame);
            keepalive = alive.wal_end;
            events_.add(alive, chunk);
        }
    }
    void send_status_if_due() {
        if (Clock::now() < next_status_) return;
        stream_.send_status(confirmed_, confirmed_, true);
        next_status_ = Clock::now() + std::chrono::milliseconds(400);
    }

    replication::ReplicationStream &stream_;
    outbox::StreamEvents events_;
    Lsn confirmed_;
    Clock::time_point next_status_ = Clock::now();
};

} // namespace pgat::support
