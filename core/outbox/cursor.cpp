#include "outbox/cursor.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/error.hpp"

namespace pgat::outbox {

namespace {

bool before(const Cursor::Ahead &ahead, EventId id) { return ahead.id < id; }

} // namespace

Cursor::Cursor(Snapshot delivered, const std::vector<Xid> &extras, EventId floor,
               std::optional<Round> round, std::vector<Part> parts, std::vector<Ahead> ahead)
    : delivered_(std::move(delivered)), floor_(floor), round_(std::move(round)),
      parts_(std::move(parts)), ahead_(std::move(ahead)) {
    for (const Xid xid : extras)
        extras_.insert(xid);
    std::sort(ahead_.begin(), ahead_.end(), [](auto &a, auto &b) { return a.id < b.id; });
    // A row is one of our own, so this only restores what is not stored: invariants 2 and 3.
    replace(delivered_, floor_);
}

bool Cursor::holds_part(Xid xid, EventId id) const noexcept {
    for (const Part &part : parts_)
        if (part.xid == xid && id <= part.through) return true;
    const auto found = std::lower_bound(ahead_.begin(), ahead_.end(), id, before);
    return found != ahead_.end() && found->id == id;
}

void Cursor::deliver_part(Xid xid, EventId through) {
    if (holds_all_of(xid)) return;
    const auto part = std::find_if(parts_.begin(), parts_.end(),
                                   [&](const Part &known) { return known.xid == xid; });
    if (part == parts_.end())
        parts_.push_back({xid, through});
    else
        part->through = std::max(part->through, through);
    std::erase_if(ahead_,
                  [&](const Ahead &ahead) { return ahead.xid == xid && ahead.id <= through; });
}

bool Cursor::deliver_ahead(Xid xid, EventId id) {
    if (holds_all_of(xid) || holds_part(xid, id)) return true;
    if (ahead_.size() >= most_ahead) return false;
    ahead_.insert(std::lower_bound(ahead_.begin(), ahead_.end(), id, before), {id, xid});
    return true;
}

void Cursor::commit(Xid xid) {
    if (!delivered_.sees(xid)) extras_.insert(xid);
    if (!parts_.empty()) std::erase_if(parts_, [&](const Part &part) { return part.xid == xid; });
    if (!ahead_.empty())
        std::erase_if(ahead_, [&](const Ahead &ahead) { return ahead.xid == xid; });
}

bool Cursor::advance(const Snapshot &seen, EventId floor) {
    if (!seen.covers(delivered_)) {
        if (delivered_.covers(seen)) return false;
        throw Error(Remedy::recover, "a snapshot of the server, " + seen.text() +
                                         ", does not follow the stream's cursor, " +
                                         delivered_.text())
            .with_hint("if it happens again, the database was set back in time (a restored backup "
                       "under a running daemon): stop the daemon and start it again");
    }
    if (seen == delivered_ && floor <= floor_) return false;
    replace(seen, floor);
    return true;
}

void Cursor::begin_round(Snapshot snapshot) {
    if (round_) throw std::logic_error("a round is open");
    if (!snapshot.covers(delivered_))
        throw Error(Remedy::recover, "the round's snapshot, " + snapshot.text() +
                                         ", does not follow the stream's cursor, " +
                                         delivered_.text());
    round_ = Round{std::move(snapshot), std::nullopt};
}

EventId Cursor::round_from() const noexcept {
    return round_ && round_->delivered ? std::max(floor_, round_->delivered->id) : floor_;
}

void Cursor::round_delivered(const Position &upto) {
    if (!round_) throw std::logic_error("no round is open");
    if (!round_->delivered || *round_->delivered < upto) round_->delivered = upto;
}

void Cursor::end_round(EventId floor) {
    if (!round_) throw std::logic_error("no round is open");
    const Round ended = *std::move(round_);
    round_.reset();
    // S may be newer than R by now: then it holds all that R does.
    replace(ended.snapshot.covers(delivered_) ? ended.snapshot : delivered_, floor);
}

void Cursor::replace(const Snapshot &snapshot, EventId floor) {
    if (&snapshot != &delivered_) delivered_ = snapshot;
    floor_ = std::max(floor_, floor);
    extras_.erase_if([this](Xid xid) { return delivered_.sees(xid); });
    std::erase_if(parts_, [this](const Part &part) { return holds_all_of(part.xid); });
    std::erase_if(ahead_, [this](const Ahead &ahead) {
        return ahead.id <= floor_ || (ahead.xid != Xid{} && holds_all_of(ahead.xid));
    });
}

} // namespace pgat::outbox
