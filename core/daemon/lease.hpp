// That the stream is still this daemon's: asked of the server before every call of the sink, unless it was
// just now.
//
// A daemon that was paused or cut off for longer than the server's patience (wal_sender_timeout of its
// session, six seconds) may find another one at work. Its writes are fenced by the generation, its WAL
// cannot be confirmed; so that it does not deliver what waits in its queue either, it asks. The server frees
// the slot no sooner than six seconds after the last status of ours, which goes out every second: a lease
// that ends earlier than that never overlaps another's. On the delivery thread.
#pragma once

#include <chrono>
#include <string>

#include "outbox/stream_row.hpp"
#include "postgres/connection.hpp"

namespace pgat::daemon {

class Lease {
  public:
    using Clock = std::chrono::steady_clock;

    static constexpr auto term = std::chrono::seconds(3);

    // Just taken. `walsender` is the process that serves our replication session.
    Lease(outbox::Ownership ours, std::string slot, int walsender)
        : ours_(ours), slot_(std::move(slot)), walsender_(walsender), renewed_(Clock::now()) {}

    // Asks, if the term is over. Throws Error if the stream is no longer ours.
    void require(postgres::Connection &sql);

  private:
    const outbox::Ownership ours_;
    const std::string slot_;
    const int walsender_;
    Clock::time_point renewed_;
};

} // namespace pgat::daemon
