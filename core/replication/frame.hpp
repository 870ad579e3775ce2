// What travels inside the COPY of a replication stream, as pure bytes to values and back
// (https://www.postgresql.org/docs/current/protocol-replication.html).
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/identifiers.hpp"
#include "base/lsn.hpp"

namespace pgat::replication {

// A piece of the stream: one pgoutput message.
struct WalData {
    Lsn start;         // of the WAL record that it came from
    Lsn wal_end;       // pgoutput repeats `start` here: not a position to confirm
    Timestamp sent_at; // by the server's clock
    std::string_view bytes;
};

// The server has decoded the WAL up to wal_end and has sent all that there was for us.
struct Keepalive {
    Lsn wal_end;
    Timestamp sent_at;
    bool reply_requested = false;
};

using Frame = std::variant<WalData, Keepalive>;

// Throws Error (reconnect) if it is neither.
Frame parse_frame(std::string_view message);

// The standby status update.
struct StandbyStatus {
    Lsn written; // received
    Lsn flushed; // delivered: the server may forget everything before
    Timestamp sent_at;
    bool reply_requested = false;
};

// Writes the message into `buffer`, whose old contents go.
void write_status(const StandbyStatus &status, std::string &buffer);

} // namespace pgat::replication
