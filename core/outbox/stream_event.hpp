// From the replication stream's messages to chunks of events and marks: pure, one copy of each
// payload.
//
// Events come out as their transaction is read, before its Commit: a transaction of any size flows
// through. One thread; a new one for every stream, for it keeps what the stream told about tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/identifiers.hpp"
#include "base/lsn.hpp"
#include "outbox/event.hpp"
#include "replication/frame.hpp"
#include "replication/pgoutput/decoder.hpp"
#include "replication/pgoutput/message.hpp"

namespace pgat::outbox {

class StreamEvents {
  public:
    // Rows of other streams, should the publication ever let them pass, are left out.
    explicit StreamEvents(StreamId stream) : stream_(stream) {}

    // Adds what one message means: an event for a row of async_triggers.events, a mark for a
    // Commit, nothing for others. Throws Error: `reconnect` for a broken stream, `stop` for a table
    // or a protocol that is not the one we know.
    void add(std::string_view message, Chunk &chunk);

    // Adds a mark for the WAL position that a keepalive reports. Nothing inside a transaction: its
    // own Commit comes.
    void add(const replication::Keepalive &keepalive, Chunk &chunk);

    // Between a Begin and its Commit.
    bool in_transaction() const noexcept { return transaction_.has_value(); }
    // When the last transaction that was begun had committed, by the server's clock.
    Timestamp last_commit_at() const noexcept { return last_commit_at_; }

  private:
    // Where the columns of async_triggers.events stand in a row of the stream.
    struct Columns {
        bool events = false; // the table is async_triggers.events or a partition of it
        std::size_t width = 0;
        std::size_t xid = 0;
        std::size_t id = 0;
        std::size_t stream_id = 0;
        std::size_t created_at = 0;
        std::size_t payload = 0;
        std::size_t metadata = 0;
    };
    struct Transaction {
        Lsn commit_lsn;
        replication::Xid32 xid;
        Xid full_xid; // once a row has told it
    };

    static Columns locate(const replication::RelationDescription &relation);
    void add_row(const replication::Insert &insert, Chunk &chunk);
    void add_commit(const replication::Commit &commit, Chunk &chunk);

    StreamId stream_;
    replication::Decoder decoder_;
    std::unordered_map<replication::RelationId, Columns> tables_;
    std::optional<Transaction> transaction_;
    Timestamp last_commit_at_;
    Lsn last_position_; // of the newest mark
};

} // namespace pgat::outbox
