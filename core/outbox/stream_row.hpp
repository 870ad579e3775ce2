// The row of async_triggers.streams: the durable form of a stream's cursor, and who may write it.
//
// Every write names the generation of the daemon that took the stream and throws Error (recover),
// "fenced", if the row has another: a daemon that was asleep while another took over must not write. Nor does
// one over a row that is older than what it wrote last.
// Every write also writes `written_by`, the xid of the write itself, which must equal the row's system
// column xmin: the two differ after a dump was restored elsewhere, whose xids mean nothing there. So
// nobody else updates these rows without setting it, and none of this runs below a savepoint.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/distinct.hpp"
#include "base/identifiers.hpp"
#include "base/lsn.hpp"
#include "outbox/cursor.hpp"
#include "outbox/event.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

using Generation = Distinct<struct GenerationTag, std::int64_t>;

// Where a row was written: a server and its history.
struct Home {
    std::string system_identifier;
    std::uint32_t timeline = 0;
    bool operator==(const Home &) const = default;
};

// How a row came to the server that we found it on.
enum class Origin {
    fresh, // no daemon has written it yet
    here,  // written on this server, or on the one whose standby this was
    moved, // written elsewhere and carried here byte by byte (pg_upgrade, a base backup): adopted
    restored, // not as it was written: from a dump, whose xids mean nothing here, or changed by hand
};

struct StreamRow {
    StreamId id;
    std::string uid;
    Generation generation;
    Home home;                     // of the last write; no identifier: never written by a daemon
    Xid written_by;                // 0: never written by a daemon
    bool written_in_place = false; // written_by is the tuple's own xmin
    std::optional<Lsn> confirmed;
    std::optional<Position> failover_checkpoint;
    std::optional<Timestamp> failover_since; // the first failed call, as the row says
    std::optional<Timestamp> next_maintenance;
    Cursor cursor;
};

// A stream taken by this daemon, as every write needs it.
struct Ownership {
    StreamId stream;
    Generation generation;
    Home home;
    // The newest write of ours that is known to have committed, on any thread: all copies share it. A row that
    // is older was set back in time, with its database: a backup that was restored under a living daemon.
    std::shared_ptr<std::atomic<Xid::rep>> last_write = std::make_shared<std::atomic<Xid::rep>>(0);

    bool wrote_after(Xid written_by) const noexcept { return written_by.value() < *last_write; }
};

struct TakenStream {
    StreamRow before; // as it was found
    Origin origin;
    Ownership ownership;
};

Origin origin_of(const StreamRow &row, const Home &here) noexcept;
// Throws Error (stop), which says how to adopt it, for a row that was restored from a dump.
void require_written_here(const StreamRow &row, const Home &here);

// The row, if there is one.
std::optional<StreamRow> load_stream_row(postgres::Connection &connection, StreamId stream);

// Makes the row if there is none, and raises its generation over what was read, not over anything written
// since: writes of any other daemon fail from now on. Throws Error (stop), changing nothing, for a row out of a restored dump.
TakenStream take_stream(postgres::Connection &connection, StreamId stream, const Home &here);

// The whole cursor with the position up to which the slot may be confirmed.
void store_cursor(postgres::Connection &connection, const Ownership &ours, const Cursor &cursor,
                  Lsn confirmed);
// The position alone, while transactions pass the sink.
void store_position(postgres::Connection &connection, const Ownership &ours, Lsn confirmed);
void store_next_maintenance(postgres::Connection &connection, const Ownership &ours,
                            Timestamp when);
// For further columns: `assignments` with parameters from $3 on.
void write_stream_row(postgres::Connection &connection, const Ownership &ours,
                      std::string_view assignments, postgres::Parameters parameters);
// Throws as the writes do, and writes nothing.
void require_ownership(postgres::Connection &connection, const Ownership &ours);

} // namespace pgat::outbox
