#include "daemon/pipeline.hpp"

#include <algorithm>
#include <utility>

#include "base/fault_point.hpp"
#include "observe/log.hpp"
#include "outbox/crashed_events.hpp"
#include "outbox/dead_letters.hpp"

namespace pgat::daemon {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr observe::Log log{"daemon"};

constexpr auto probe_interval = 5s;
constexpr auto farewell_limit = 3s;

delivery::BatchLimits limits_of(const config::Batch &batch) {
    return {batch.max_size, batch.max_bytes, batch.min_size, batch.max_fill};
}

} // namespace

Pipeline::Pipeline(const config::Config &config, delivery::Dispatcher &dispatcher, Memory &memory,
                   Situation &situation, Halt &halt)
    : config_(config), settings_(config.stream), limits_(limits_of(config.stream.batch)),
      dispatcher_(dispatcher), memory_(memory), situation_(situation), halt_(halt), failure_(halt) {
}

Pipeline::~Pipeline() {
    housekeeping_.reset();
    memory_.position = std::max(memory_.position, confirmed_.get());
}

void Pipeline::run() {
    connect();
    take_stream();
    try {
        while (!halt_.halted()) {
            recover();
            if (!halt_.halted()) stream();
        }
    } catch (const Error &error) {
        if (error.remedy() != Remedy::interrupted || !halt_.halted()) throw;
    }
    if (const auto failure = failure_.get()) throw *failure;
    settle_down();
}

void Pipeline::stream() {
    situation_.failover(false);
    situation_.enter(Phase::streaming);
    log.info("streaming", {{"slot", settings_.slot_name}, {"position", progress_->position()}});
    streamed_ = true;
    memory_.had_slot = true;
    housekeeping_->store({memory_.cursor, progress_->position()});
    if (memory_.in_failover.exchange(false)) housekeeping_->tell(std::nullopt);
    delivery::Batcher batcher(
        limits_, *queue_, [this](const outbox::Event &event) { return progress_->held(event); });
    delivery::Batch batch;
    dispatcher_.forget_held_keys();
    auto next_probe = Clock::now();
    while (!halt_.halted()) {
        if (auto capture = captures_->take()) progress_->expect(std::move(*capture));
        hand_over_cursor();
        const auto next_held = dispatcher_.held_keys().next_attempt();
        if (batcher.fill(batch, std::min(next_probe, next_held)) || next_held <= Clock::now()) {
            delivery::Settled settled{0, {}, true, std::nullopt};
            if (!batch.events.empty()) settled = deliver(batch, delivery::Holding::keys);
            progress_->settle_streamed(batch, settled);
            memory_.position = progress_->position();
            if (settled.failure) throw *settled.failure;
            if (dispatcher_.outage() && !settled.whole)
                return enter_failover(batch, settled, batcher);
            batch.keep_unsettled(settled);
            if (holds_too_much(batch)) {
                dispatcher_.give_up_holding();
                return enter_failover(batch, {}, batcher);
            }
            if (progress_->wants_capture()) housekeeping_->want_capture();
        } else if (batcher.exhausted()) {
            break;
        }
        if (Clock::now() >= next_probe) {
            if (batch.empty()) dispatcher_.probe();
            next_probe = Clock::now() + probe_interval;
        }
    }
}

// More events behind held keys than the cursor, or the memory for one more batch, has room for.
bool Pipeline::holds_too_much(const delivery::Batch &batch) const {
    return progress_->too_far_ahead() || batch.held_bytes > limits_.max_bytes ||
           batch.held.size() > outbox::Cursor::most_ahead;
}

// From here on the stream's transactions pass, those in hand first, and the table gives their events. Unless
// the daemon halts: then all of it is left to the next session.
void Pipeline::enter_failover(const delivery::Batch &batch, const delivery::Settled &settled,
                              delivery::Batcher &batcher) {
    if (halt_.halted()) return;
    housekeeping_->store({memory_.cursor, progress_->position()});
    tell(lowest_unsettled(batch, settled));
    passage_->open(progress_->position(), batch, batcher);
    situation_.enter(Phase::recovering);
    captures_->take();
    fault_point("failover_entered");
}

void Pipeline::tell(const std::optional<outbox::Position> &first) {
    if (dispatcher_.outage()) memory_.in_failover = true;
    if (!memory_.in_failover) return;
    situation_.failover(true);
    told_at_ = Clock::now();
    // Only the newest news are heard. While nothing is delivered, what was the first still is.
    if (first || !dispatcher_.outage()) undelivered_ = first;
    housekeeping_->tell(OutageNews{dispatcher_.outage(), undelivered_, memory_.cursor});
}

delivery::Settled Pipeline::deliver(const delivery::Batch &batch, delivery::Holding holding) {
    auto settled = dispatcher_.deliver(
        batch, row_.uid,
        [this](std::span<const delivery::Rejection> letters) { store_rejections(letters); },
        [this] { lease_->require(*sql_); }, holding);
    if (const auto forgotten = dispatcher_.take_forgotten_crashes(); !forgotten.empty())
        outbox::forget_crashed_events(*sql_, settings_.id, forgotten);
    fault_point("batch_delivered");
    return settled;
}

void Pipeline::store_rejections(std::span<const delivery::Rejection> rejections) {
    std::vector<outbox::DeadLetter> letters;
    letters.reserve(rejections.size());
    for (const auto &rejection : rejections)
        letters.push_back({rejection.event->at, rejection.event->payload, rejection.event->metadata,
                           rejection.reason, rejection.attempts});
    outbox::store_dead_letters(*sql_, settings_.id, letters);
    for (const auto &rejection : rejections)
        log.warn("an event went to async_triggers.dead_letters", {{"event", rejection.event->at.id},
                                                                  {"attempts", rejection.attempts},
                                                                  {"reason", rejection.reason}});
}

void Pipeline::hand_over_cursor() {
    if (auto cursor = progress_->worth_storing(Clock::now()))
        housekeeping_->store(std::move(*cursor));
}

// A clean stop: the cursor is stored exactly as it is, then the position is confirmed, then the slot is free.
void Pipeline::settle_down() {
    housekeeping_.reset();
    sql_->interrupt_by(nullptr);
    sql_->answer_within(farewell_limit);
    memory_.position = std::max(progress_->position(), confirmed_.get());
    outbox::store_cursor(*sql_, *memory_.ownership, memory_.cursor, memory_.position);
    confirmed_.set(memory_.position);
    reader_->finish();
    if (const auto failure = failure_.get())
        log.warn("the stream was not ended in order", *failure);
    log.info("stopped, the cursor is stored", {{"position", memory_.position}});
}

} // namespace pgat::daemon
