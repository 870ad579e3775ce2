// How the daemon opens its sessions: who it says it is, and the settings every one of them has.
#pragma once

#include "base/wakeup.hpp"
#include "config/config.hpp"
#include "outbox/stream_row.hpp"
#include "postgres/connection.hpp"

namespace pgat::daemon {

// An ordinary session: commits wait for the local disk alone (an older row is always safe, and a stalled
// synchronous standby must not stall us), locks are waited for but shortly. `interrupt` may be null.
postgres::SessionOptions sql_session(const config::Stream &stream, const Wakeup *interrupt);
// A walsender session for the stream's slot.
postgres::SessionOptions stream_session(const config::Stream &stream, const Wakeup *interrupt);

// Opens one more session beside those that a Pipeline began with. Throws Error (reconnect) if it reached
// another server: a promotion may have led the name there since, and what that one sees must not be paired
// with the WAL of this one.
postgres::Connection open_at(const postgres::SessionOptions &session, const outbox::Home &home);

} // namespace pgat::daemon
