// Recovering: rounds from the table while the stream's transactions pass, until the sink takes events and
// nothing is left there that the stream will not give.
#include "daemon/pipeline.hpp"

#include <algorithm>
#include <utility>

#include "base/fault_point.hpp"
#include "daemon/sessions.hpp"
#include "observe/log.hpp"

namespace pgat::daemon {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr observe::Log log{"daemon"};

constexpr auto round_interval = 1s;

} // namespace

// The slot is looked at before a capture is taken, never after: the capture must see more.
void Pipeline::look_at_slot_taken() {
    if (from_) return;
    const auto taken = reader_->taken_within(0ms);
    if (!taken) return;
    from_ = taken->created_at ? TakeOver{taken->position, taken->created_at, std::nullopt}
                              : examine_slot();
    passage_->begin_at(from_->slot_position);
}

outbox::Capture Pipeline::capture_for_round() {
    auto capture = outbox::take_capture(*sql_);
    outbox::wait_until_flushed(*sql_, capture.wal);
    return capture;
}

// Once any capture has seen what the slot's stream will not give, every later one does: from here on a
// position may be stored and confirmed.
void Pipeline::look_at_cover(const outbox::Capture &capture) {
    if (covered_ || !from_) return;
    if (from_->created_at && !capture.snapshot.covers(*from_->created_at)) return;
    if (from_->not_ours && capture.snapshot.xmin() <= *from_->not_ours) return;
    covered_ = true;
    confirmed_.begin_at(from_->slot_position);
}

// While the sink is down: waits until it is worth trying again. False: halted.
bool Pipeline::await_sink() {
    while (!halt_.halted()) {
        if (!dispatcher_.outage()) return true;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            dispatcher_.outage()->next_attempt - Clock::now());
        if (left <= 0ms) {
            if (dispatcher_.worth_a_call()) return true;
            tell(std::nullopt);
            continue;
        }
        // Without a cover the WAL cannot be released, however long the sink stays away.
        if (!covered_) {
            look_at_slot_taken();
            if (from_) look_at_cover(capture_for_round());
        }
        halt_.wait_for(covered_ ? left : std::min<std::chrono::milliseconds>(left, round_interval));
    }
    return false;
}

// Rounds from the table, until nothing is left there that the stream will not give. The stream's transactions
// pass meanwhile; once a round is short, the last one is run with the stream paused.
void Pipeline::recover() {
    delivery::Recovery recovery(
        settings_.id, limits_, *progress_, halt_,
        [this] { return open_at(sql_session(settings_, &halt_.bell()), memory_.ownership->home); },
        [this](const delivery::Batch &batch) { return deliver_replayed(batch); });
    while (await_sink()) {
        const auto began = Clock::now();
        look_at_slot_taken();
        if (!recovery.finish_open_round(*sql_)) continue;
        const auto capture = capture_for_round();
        look_at_cover(capture);
        if (!recovery.run_round(*sql_, capture)) continue;
        const auto rest = round_interval - (Clock::now() - began);
        if (covered_ && rest < 0s) continue;
        if (covered_ && finish_with_stream_paused(recovery)) break;
        if (dispatcher_.outage() && dispatcher_.outage()->next_attempt > Clock::now()) continue;
        const auto pause = std::max(std::chrono::ceil<std::chrono::milliseconds>(rest), 0ms);
        if (from_)
            halt_.wait_for(pause);
        else
            reader_->taken_within(pause);
    }
    if (recovery.replayed() > 0)
        log.info("replayed from the table", {{"events", recovery.replayed()}});
}

// True: all that passed is delivered, and what comes behind it is in the queue.
bool Pipeline::finish_with_stream_paused(delivery::Recovery &recovery) {
    passage_->close();
    fault_point("stream_paused");
    const auto capture = capture_for_round();
    if (recovery.run_round(*sql_, capture) && passage_->all_seen_by(capture.snapshot)) {
        progress_->start_at(std::max(progress_->position(), passage_->position()));
        memory_.position = progress_->position();
        return true;
    }
    passage_->open();
    return false;
}

bool Pipeline::deliver_replayed(const delivery::Batch &batch) {
    auto &counts = dispatcher_.counts();
    const auto delivered_before = counts.delivered.load();
    const auto settled = deliver(batch, delivery::Holding::nothing);
    counts.replayed += counts.delivered - delivered_before;
    progress_->settle_replayed(batch, settled);
    if (settled.failure) throw *settled.failure;
    hand_over_cursor();
    if (!settled.whole)
        tell(lowest_unsettled(batch, settled));
    else if (memory_.in_failover && Clock::now() - told_at_ >= round_interval)
        tell(std::nullopt);
    return settled.whole;
}

} // namespace pgat::daemon
