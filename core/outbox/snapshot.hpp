// Which transactions a moment of the server saw: Postgres's pg_snapshot as a value, without I/O.
//
// Answers exactly as pg_visible_in_snapshot() does
// (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT): for ids of
// top-level transactions, and also for those that were rolled back, which have no events.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/identifiers.hpp"

namespace pgat::outbox {

class Snapshot {
  public:
    // Sees no transaction that could have an event.
    Snapshot() = default;

    // Reads "xmin:xmax:xip,xip,…" with the rules of Postgres's own reader; nothing if it breaks
    // them.
    static std::optional<Snapshot> parse(std::string_view text);
    // What pg_current_snapshot() and its like answered. Throws Error (stop) if it is not one.
    static Snapshot from_server(std::string_view text);
    std::string text() const;

    // Had this transaction ended? O(log of the number that were running).
    bool sees(Xid xid) const noexcept {
        if (xid < xmin_) return true;
        if (xid >= xmax_) return false;
        return !was_running(xid);
    }

    // Does this see every transaction that `other` sees?
    bool covers(const Snapshot &other) const noexcept;

    // This one as it was before these transactions ended.
    Snapshot without(std::vector<Xid> xids) const;

    // All below xmin are seen; none from xmax on is.
    Xid xmin() const noexcept { return xmin_; }
    Xid xmax() const noexcept { return xmax_; }
    bool empty() const noexcept { return xmax_ <= Xid(1); }

    bool operator==(const Snapshot &) const = default;

  private:
    bool was_running(Xid xid) const noexcept;

    Xid xmin_{1}; // no transaction has the id 0
    Xid xmax_{1};
    std::vector<Xid> running_; // ascending, in [xmin_, xmax_)
};

} // namespace pgat::outbox
