// The stream of a slot: frames in, standby status out, no wait that was not asked for.
//
// The caller's loop: take frames with next() while it wants any, poll() for more, send_status() at
// least once a second, whether it reads or not: that alone keeps the server from ending the session
// after wal_sender_timeout. One thread.
//
// Every failure is an Error; besides a lost connection (`reconnect`) these can be told apart:
// - 55006, retry: another session holds the slot (open only).
// - 42704, recover: the slot is missing (open), or the publication was, at the point of the WAL
//   that the slot is at: ensure it, replace the slot, recover.
// - 55000, recover: the slot is invalidated; replace it, recover.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/lsn.hpp"
#include "base/wakeup.hpp"
#include "observe/throttled_log.hpp"
#include "postgres/connection.hpp"
#include "postgres/copy_both.hpp"
#include "replication/frame.hpp"

namespace pgat::replication {

// `base` with what makes it a replication session: for IDENTIFY_SYSTEM, create_slot and the stream.
postgres::SessionOptions replication_session(postgres::SessionOptions base);

struct StreamRequest {
    std::string slot;
    std::string publication;
    // Transactions that committed before it are not sent; the slot's own confirmed position if that
    // is later, or if this is invalid.
    Lsn from;
};

class ReplicationStream {
  public:
    using Deadline = postgres::CopyBoth::Deadline;
    using Interest = postgres::CopyBoth::Interest;
    using Ready = postgres::CopyBoth::Ready;

    // Starts the stream on a replication session. `wakeup` ends poll(); may be null, outlives the
    // stream.
    ReplicationStream(postgres::Connection session, const StreamRequest &request,
                      const Wakeup *wakeup);

    // Waits until next() may have a frame (unless the caller wants none now), the wakeup is rung
    // (clear it yourself), or the time has come: `data`, `wakeup` or `time`.
    Ready poll(Deadline deadline, Interest interest = Interest::receive);

    // The next frame, or nothing if the socket is dry. Its bytes are valid until the following
    // call.
    std::optional<Frame> next();

    // Tells the server how far we are; an older position than told before counts as that one (a
    // server would move the slot back). Never waits: while an earlier status is still held back by
    // the network, only the newest is kept and goes when it can (poll() sees to it).
    void send_status(Lsn written, Lsn flushed, bool reply_requested = false);

    // Ends the stream properly once the last status is out, dropping what still comes. The slot is
    // free when this returns. Throws Error (reconnect) if that is not so by `deadline`; destroying
    // the stream does the rest.
    void finish(Deadline deadline);

    // When next() last had something. A network that swallows everything is noticed by what we send
    // (tcp_user_timeout); a proxy that swallows it is not. But a server may well be silent for long
    // while it decodes a large transaction: after a long silence ask, by SQL, whether the slot is
    // still active for session().backend_pid().
    std::chrono::steady_clock::time_point heard_at() const noexcept { return heard_at_; }

    const postgres::Connection &session() const noexcept { return copy_.session(); }

  private:
    void send_now();

    void heed_warnings();

    postgres::CopyBoth copy_;
    std::unique_ptr<observe::ThrottledLog> log_;
    const Wakeup *wakeup_;
    StandbyStatus sent_; // or about to be, if it waits
    bool status_waits_ = false;
    std::string buffer_;
    std::chrono::steady_clock::time_point heard_at_ = std::chrono::steady_clock::now();
};

} // namespace pgat::replication
