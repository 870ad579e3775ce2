// Rows of COPY … TO STDOUT (FORMAT binary) to events: pure, checks every length, and says so when
// the bytes are not what they should be
// (https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4).
#pragma once

#include <functional>
#include <string_view>

#include "outbox/event.hpp"

namespace pgat::outbox {

// The columns, in this order: xid xid8, id bigint, created_at timestamptz, payload jsonb, metadata
// jsonb. One object a COPY; fed with the messages as libpq hands them out.
class CopyRows {
  public:
    using Wanted = std::function<bool(const Event &)>;

    // Adds the rows of one message that `wanted` (if given) agrees to; the texts are copied into the
    // chunk's arena. Throws Error (stop) for bytes that are not such a COPY, with the chunk as it was
    // before the broken row.
    void add(std::string_view message, Chunk &chunk, const Wanted &wanted = {});

    // The last row added or left out, in the order of the COPY.
    std::size_t rows() const noexcept { return rows_; }
    const Position &last() const noexcept { return last_; }
    bool ended() const noexcept { return ended_; }

  private:
    bool begun_ = false;
    bool ended_ = false;
    std::size_t rows_ = 0;
    Position last_;
};

} // namespace pgat::outbox
