#include "replication/frame.hpp"

#include "replication/pgoutput/reader.hpp"

namespace pgat::replication {

namespace {

void append_big_endian(std::string &buffer, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8)
        buffer.push_back(static_cast<char>((value >> shift) & 0xFF));
}

} // namespace

Frame parse_frame(std::string_view message) {
    Reader reader(message, "replication frame");
    switch (reader.character()) {
    case 'w': {
        WalData data;
        data.start = reader.lsn();
        data.wal_end = reader.lsn();
        data.sent_at = reader.timestamp();
        data.bytes = reader.rest();
        return data;
    }
    case 'k': {
        Keepalive keepalive;
        keepalive.wal_end = reader.lsn();
        keepalive.sent_at = reader.timestamp();
        keepalive.reply_requested = reader.byte() != 0;
        reader.require_end();
        return keepalive;
    }
    default:
        reader.fail("its kind is unknown");
    }
}

void write_status(const StandbyStatus &status, std::string &buffer) {
    buffer.assign(1, 'r');
    append_big_endian(buffer, status.written.value());
    append_big_endian(buffer, status.flushed.value());
    append_big_endian(buffer, 0); // applied: of no meaning to a logical slot
    append_big_endian(buffer, static_cast<std::uint64_t>(status.sent_at.value()) -
                                  static_cast<std::uint64_t>(postgres_epoch));
    buffer.push_back(status.reply_requested ? '\1' : '\0');
}

} // namespace pgat::replication
