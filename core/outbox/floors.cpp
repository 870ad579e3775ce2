#include "outbox/floors.hpp"

#include <algorithm>

namespace pgat::outbox {

void Floors::add(Xid before, EventId seq) {
    // Captures out of order would make the search wrong; such a one is only not remembered.
    if (!entries_.empty() && (before <= entries_.back().before || seq < entries_.back().seq))
        return;
    // The older of two captures without an id handed out between them says all.
    if (!entries_.empty() && entries_.back().seq == seq) return;
    // The newest is always there, whether or not it stays.
    if (entries_.size() > 1 && since_kept_ < stride_) {
        entries_.back() = {before, seq};
        ++since_kept_;
        return;
    }
    entries_.push_back({before, seq});
    since_kept_ = 1;
    if (entries_.size() <= most) return;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < entries_.size(); i += 2)
        entries_[kept++] = entries_[i];
    entries_.resize(kept);
    stride_ *= 2;
}

EventId Floors::floor_for(const Snapshot &snapshot) const noexcept {
    const auto above =
        std::partition_point(entries_.begin(), entries_.end(),
                             [&](const Entry &entry) { return entry.before < snapshot.xmin(); });
    return above == entries_.begin() ? EventId{} : std::prev(above)->seq;
}

void Floors::forget_below(Xid xmin) {
    const auto above = std::partition_point(
        entries_.begin(), entries_.end(), [&](const Entry &entry) { return entry.before < xmin; });
    if (above != entries_.begin()) entries_.erase(entries_.begin(), std::prev(above));
    if (entries_.size() <= most / 8) stride_ = 1;
}

} // namespace pgat::outbox
