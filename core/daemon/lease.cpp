#include "daemon/lease.hpp"

namespace pgat::daemon {

void Lease::require(postgres::Connection &sql) {
    const auto now = Clock::now();
    if (now - renewed_ < term) return;
    outbox::require_ownership(sql, ours_);
    // Nobody's while it is being created, or cannot be yet: then the generation alone tells.
    const auto holder = sql.exec("SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1"
                                 " AND active_pid <> $2::integer",
                                 {slot_, walsender_});
    if (!holder.empty()) throw Error(Remedy::reconnect, "another session holds the slot " + slot_);
    // As of before it was asked.
    renewed_ = now;
}

} // namespace pgat::daemon
