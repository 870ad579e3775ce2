#include "daemon/situation.hpp"

#include <algorithm>
#include <utility>

#include "base/wall_clock.hpp"

namespace pgat::daemon {

std::string_view name_of(Phase phase) noexcept {
    switch (phase) {
    case Phase::starting:
        return "starting";
    case Phase::connecting:
        return "connecting";
    case Phase::standby:
        return "standby";
    case Phase::recovering:
        return "recovering";
    case Phase::streaming:
        return "streaming";
    case Phase::disconnected:
        return "disconnected";
    }
    return "unknown";
}

Situation::View Situation::look() const {
    const std::lock_guard lock(mutex_);
    View view = view_;
    view.failover_seconds = ended_failover_seconds_;
    if (view.failover)
        view.failover_seconds += std::max(seconds_between(failover_noticed_, wall_clock()), 0.0);
    if (queue_ != nullptr) view.queue = queue_->held();
    if (view.since == Timestamp()) view.since = wall_clock();
    return view;
}

void Situation::enter(Phase phase) {
    const std::lock_guard lock(mutex_);
    if (view_.phase != phase || view_.since == Timestamp()) view_.since = wall_clock();
    view_.phase = phase;
    if (view_.ready() || phase == Phase::standby) view_.trouble.reset();
    // Of a stream that another daemon has nothing is known here.
    if (!view_.ready()) view_.survey.reset();
}

void Situation::sink_not_ready(const Error &error) {
    const std::lock_guard lock(mutex_);
    view_.trouble =
        Trouble{error.what(), error.hint(), std::string(error.sqlstate()), wall_clock()};
}

void Situation::session_lost(const Error &error) {
    enter(Phase::disconnected);
    const std::lock_guard lock(mutex_);
    ++view_.sessions_lost;
    view_.trouble =
        Trouble{error.what(), error.hint(), std::string(error.sqlstate()), wall_clock()};
}

void Situation::slot_replaced(std::string reason) {
    const std::lock_guard lock(mutex_);
    ++view_.slots_replaced;
    view_.slot_replaced = SlotReplaced{wall_clock(), std::move(reason)};
}

void Situation::failover(bool in_failover, std::optional<Timestamp> since) {
    const std::lock_guard lock(mutex_);
    const auto now = wall_clock();
    if (in_failover && !view_.failover) {
        ++view_.failovers;
        failover_noticed_ = now;
        view_.failover_since = since.value_or(now);
    } else if (!in_failover && view_.failover) {
        ended_failover_seconds_ += std::max(seconds_between(failover_noticed_, now), 0.0);
        view_.failover_since.reset();
        view_.outage.reset();
    }
    view_.failover = in_failover;
}

void Situation::outage(std::optional<outbox::FailoverState> outage) {
    const std::lock_guard lock(mutex_);
    view_.outage = std::move(outage);
}

void Situation::survey(Survey survey) {
    const std::lock_guard lock(mutex_);
    view_.survey = std::move(survey);
}

Situation::Watched::Watched(Situation &situation, const delivery::ChunkQueue &queue,
                            delivery::ChunkQueue::Bounds limits)
    : situation_(situation) {
    const std::lock_guard lock(situation_.mutex_);
    situation_.queue_ = &queue;
    situation_.view_.queue_limits = limits;
}

Situation::Watched::~Watched() {
    const std::lock_guard lock(situation_.mutex_);
    situation_.queue_ = nullptr;
}

} // namespace pgat::daemon
