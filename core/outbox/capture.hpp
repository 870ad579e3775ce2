// A capture: a snapshot of the server together with the WAL position by which all that it sees
// stands in the WAL, and what is needed to know a floor for it later.
//
// Captures move the cursor forward (outbox/cursor.hpp). One may be used only once the WAL is
// flushed past `wal`: after a crash of the server, xids and ids that were not flushed are handed
// out again, and the snapshot would call the new transactions delivered.
#pragma once

#include <chrono>

#include "base/identifiers.hpp"
#include "base/lsn.hpp"
#include "outbox/snapshot.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

struct Capture {
    EventId seq;       // every transaction with an xid above `before` has ids above this
    Xid before;        // an xid taken after `seq` was read
    Snapshot snapshot; // whom it sees has its commit record in the WAL before `wal`
    Lsn wal;
};

// Four statements, each a transaction of its own; the connection must not be inside one. Throws
// Error; `reconnect` if the server turns out to be in recovery.
Capture take_capture(postgres::Connection &connection);

// Returns once the server has flushed its WAL up to `position`, having told it to (a commit of our
// own) if it has not. Throws Error (retry) if that takes longer than `patience`.
void wait_until_flushed(postgres::Connection &connection, Lsn position,
                        std::chrono::milliseconds patience = std::chrono::seconds(30));

} // namespace pgat::outbox
