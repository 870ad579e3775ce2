#include "delivery/progress.hpp"

#include <algorithm>

#include "observe/log.hpp"

namespace pgat::delivery {

namespace {

constexpr observe::Log log{"delivery"};

// Writing the row makes WAL of its own, which must not be a reason to write it again.
constexpr std::uint64_t worthwhile_wal = 1 << 20;
constexpr auto position_interval = std::chrono::seconds(10);
constexpr auto round_interval = std::chrono::seconds(1);
// What a crash makes a slow sink see twice. Where more is delivered meanwhile, S moves soon.
constexpr auto slow_interval = std::chrono::seconds(2);
constexpr std::size_t few_extras = 1000;

} // namespace

void Progress::start_at(Lsn position) noexcept {
    position_ = passed_ = position;
    incomplete_.clear();
    captures_.clear();
    too_far_ahead_ = false;
}

void Progress::note_ahead(const outbox::Event &event) {
    if (cursor_.deliver_ahead(event.xid, event.at.id)) return;
    if (!too_far_ahead_)
        log.warn("an event ran too far ahead of others to be remembered: after a crash it is "
                 "delivered again",
                 {{"event", event.at.id}});
    too_far_ahead_ = true;
}

void Progress::settle_streamed(const Batch &batch, const Settled &settled) {
    delivered_since_ = delivered_since_ || settled.prefix > 0 || !settled.delivered.empty();
    incomplete_.clear();
    std::size_t complete = 0;
    std::size_t next = 0;
    for (; next < batch.marks.size(); ++next) {
        const auto &mark = batch.marks[next];
        if (mark.events_before > settled.prefix) break;
        if (mark.xid != Xid()) cursor_.commit(mark.xid);
        passed_ = std::max(passed_, mark.position);
        complete = mark.events_before;
    }
    // What is left belongs to a transaction that goes on, or something of it is not settled.
    if (complete < batch.events.size()) settle_beyond(batch, settled, next, complete);
    position_ = std::max(position_, confirmable());
    apply_captures();
}

// The transactions from `mark` on, the first of them with the event `first`; the last one may go on.
void Progress::settle_beyond(const Batch &batch, const Settled &settled, std::size_t mark,
                             std::size_t first) {
    if (first < settled.prefix) {
        const auto &last = *batch.events[settled.prefix - 1];
        cursor_.deliver_part(last.xid, last.at.id);
    }
    for (; mark < batch.marks.size(); ++mark) {
        const auto &[end, position, xid] = batch.marks[mark];
        if (settle_transaction(batch, settled, first, end) && xid != Xid()) cursor_.commit(xid);
        passed_ = std::max(passed_, position);
        first = end;
    }
    if (first < batch.events.size() &&
        settle_transaction(batch, settled, first, batch.events.size())) {
        const auto &last = *batch.events.back();
        cursor_.deliver_part(last.xid, last.at.id);
    }
}

bool Progress::settle_transaction(const Batch &batch, const Settled &settled, std::size_t first,
                                  std::size_t last) {
    if (settled.all_between(first, last)) return true;
    first = std::max(first, settled.prefix);
    auto next = std::lower_bound(settled.delivered.begin(), settled.delivered.end(), first);
    for (; first < last; ++first) {
        const auto &event = *batch.events[first];
        if (next != settled.delivered.end() && *next == first) {
            note_ahead(event);
            ++next;
        } else if (incomplete_.empty() || incomplete_.back().xid != event.xid) {
            incomplete_.push_back({event.xid, passed_});
        }
    }
    return false;
}

Lsn Progress::confirmable() const noexcept {
    for (const auto &transaction : incomplete_)
        if (!in_table_.sees(transaction.xid)) return transaction.before;
    return passed_;
}

void Progress::settle_replayed(const Batch &batch, const Settled &settled) {
    if (settled.prefix > 0) cursor_.round_delivered(batch.events[settled.prefix - 1]->at);
    for (const auto index : settled.delivered)
        note_ahead(*batch.events[index]);
}

void Progress::expect(outbox::Capture capture) {
    floors_.add(capture);
    captures_.push_back(std::move(capture));
    apply_captures();
}

void Progress::apply_captures() {
    while (!captures_.empty() && captures_.front().wal <= passed_) {
        in_table_ = std::move(captures_.front().snapshot);
        captures_.pop_front();
        std::vector<Xid> undelivered;
        for (const auto &transaction : incomplete_)
            undelivered.push_back(transaction.xid);
        const auto seen = in_table_.without(std::move(undelivered));
        if (cursor_.advance(seen, floors_.floor_for(seen))) advanced_ = true;
        floors_.forget_below(cursor_.delivered().xmin());
        position_ = std::max(position_, confirmable());
    }
}

std::optional<CursorToStore> Progress::worth_storing(Clock::time_point now) {
    const auto age = now - stored_at_;
    const bool moved =
        position_.bytes_since(stored_position_) >= worthwhile_wal && age >= position_interval;
    const bool replaying = cursor_.round().has_value() && age >= round_interval;
    const bool slow =
        delivered_since_ && age >= slow_interval && cursor_.extras().size() <= few_extras;
    if (!advanced_ && !moved && !replaying && !slow) return std::nullopt;
    advanced_ = delivered_since_ = false;
    stored_position_ = position_;
    stored_at_ = now;
    return CursorToStore{cursor_, position_};
}

} // namespace pgat::delivery
