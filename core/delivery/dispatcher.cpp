#include "delivery/dispatcher.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/wall_clock.hpp"
#include "delivery/event_id.hpp"
#include "observe/log.hpp"

namespace pgat::delivery {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr observe::Log log{"delivery"};

// Of events that another daemon has settled meanwhile nobody tells us: more than this are not remembered.
constexpr std::size_t most_charged = 10'000;

std::string_view name_of(sinks::Status status) {
    switch (status) {
    case sinks::Status::ok:
        return "ok";
    case sinks::Status::unavailable:
        return "unavailable";
    case sinks::Status::cancelled:
        return "cancelled";
    case sinks::Status::broken:
        return "broken";
    case sinks::Status::misconfigured:
        return "misconfigured";
    case sinks::Status::unsupported:
        return "unsupported";
    }
    return "unknown";
}

} // namespace

Dispatcher::Dispatcher(sinks::Sink &sink, const DispatchPolicy &policy, const Halt &halt,
                       DeliveryCounts &counts)
    : sink_(sink), policy_(policy), offer_(policy.stream, policy.group_key),
      held_(policy.initial_backoff, policy.max_backoff), halt_(halt), counts_(counts),
      health_(policy.attempts, policy.initial_backoff, policy.max_backoff),
      crashes_(policy.max_event_attempts) {}

void Dispatcher::open(const Batch &batch, std::string_view uid) {
    const std::size_t count = batch.events.size();
    const std::size_t room = uid.size() + event_id_room;
    if (ids_.size() < count * room) ids_.resize(count * room);
    items_.assign(count, Item{});
    for (std::size_t i = 0; i < count; ++i)
        items_[i].id = write_event_id(ids_.data() + i * room, uid, batch.events[i]->at);
    first_ = 0;
    note_in_hand(batch);
    if (!crashes_.empty())
        for (std::size_t i = 0; i < count; ++i)
            if (const auto *const crashed = crashes_.find(batch.events[i]->at))
                items_[i].attempt = crashed->crashes + 1;
    if (charged_.empty()) return;
    for (std::size_t i = 0; i < count; ++i)
        if (const auto known = charged_.find(batch.events[i]->at.id); known != charged_.end())
            items_[i].attempt = std::max(items_[i].attempt, known->second);
}

void Dispatcher::note_in_hand(const Batch &batch) {
    const bool all = first_ == batch.events.size();
    counts_.in_hand_since = all ? 0 : batch.events[first_]->at.created_at.value();
}

bool Dispatcher::offer(const Batch &batch, const RequireLease &require_lease) {
    std::size_t most = sink_.max_batch();
    if (policy_.most_at_once != 0 && (most == 0 || policy_.most_at_once < most))
        most = policy_.most_at_once;
    // A sink that was away and cannot be asked how it is, is asked with one event.
    if (outage() && away_ && !sink_.has_probe()) most = 1;
    if (!offer_.pick(batch, items_, first_, most, holding_ == Holding::keys ? &held_ : nullptr,
                     !policy_.dead_letters))
        return false;
    if (!crashes_.empty() && !separate_suspects(batch)) return false;
    if (require_lease) require_lease();
    const auto began = Clock::now();
    sink_.publish(offer_.events(), began + policy_.call_limit, outcomes_);
    ++counts_.calls;
    counts_.call_seconds.observe(std::chrono::duration<double>(Clock::now() - began).count());
    counts_.batch_events.observe(static_cast<double>(offer_.size()));
    return true;
}

bool Dispatcher::separate_suspects(const Batch &batch) {
    for (std::size_t position = 0; position < offer_.size(); ++position) {
        const auto &at = batch.events[offer_.index(position)]->at;
        const auto *const crashed = crashes_.find(at);
        if (crashed == nullptr && !crashes_.suspect(at.id)) continue;
        // It is not given up: each attempt may cost a restart, so they are few.
        if (position == 0 && crashed != nullptr && crashes_.too_often(*crashed) && !outage()) {
            health_.give_up(crashed->reason, policy_.max_backoff);
            return false;
        }
        offer_.keep(std::max<std::size_t>(position, 1));
        break;
    }
    return true;
}

void Dispatcher::reject_crashed(const Batch &batch, const StoreRejections &store) {
    std::vector<Rejection> rejected;
    rejecting_.clear();
    for (std::size_t i = 0; i < items_.size() && policy_.dead_letters; ++i) {
        const auto *const crashed = crashes_.find(batch.events[i]->at);
        if (crashed == nullptr || items_[i].settled || !crashes_.too_often(*crashed)) continue;
        // A restart may have come before the cursor that holds the earlier ones: they are given up again here.
        if (crashes_.sink_is_broken(rejected.size())) break;
        ++consecutive_rejected_;
        rejected.push_back({batch.events[i], crashed->reason, crashed->crashes});
        rejecting_.push_back(i);
        items_[i].settled = true;
    }
    if (rejected.empty()) return;
    store_rejected(rejected, store);
    for (const auto &letter : rejected)
        crashes_.settle(letter.event->at);
    while (first_ < items_.size() && items_[first_].settled)
        ++first_;
}

void Dispatcher::failed(std::size_t position) {
    const auto key = offer_.key(position);
    if (holding_ == Holding::nothing || key.empty() || rejecting_everything()) {
        if (failure_.empty()) failure_ = reason_of(position);
        return;
    }
    if (held_failure_.empty()) held_failure_ = held_reason_ = reason_of(position);
    // Once a call.
    const auto now = Clock::now();
    if (held_.waits(key, now)) return;
    milliseconds asked_to_wait{0};
    for (const auto &reason : outcomes_.reasons)
        if (reason.index == position) asked_to_wait = reason.retry_after;
    held_.hold(key, now, asked_to_wait);
}

std::string_view Dispatcher::reason_of(std::size_t position) const {
    const auto found = std::lower_bound(
        outcomes_.reasons.begin(), outcomes_.reasons.end(), position,
        [](const sinks::Reason &reason, std::size_t wanted) { return reason.index < wanted; });
    if (found != outcomes_.reasons.end() && found->index == position) return found->text;
    return outcomes_.reason.empty() ? "the sink gave no reason"
                                    : std::string_view(outcomes_.reason);
}

void Dispatcher::reject(const Batch &batch, std::size_t index, const std::string &why,
                        std::vector<Rejection> &rejected) {
    if (!policy_.dead_letters) return;
    // What the same call delivered behind it shows that not all is rejected; and it must not overtake an
    // event that is to come again.
    if (rejecting_everything() && index >= last_delivered_) return;
    ++consecutive_rejected_;
    rejected.push_back({batch.events[index], why, items_[index].attempt});
    rejecting_.push_back(index);
    items_[index].settled = true;
    charged_.erase(batch.events[index]->at.id);
}

void Dispatcher::charge(const Batch &batch, std::size_t index, const std::string &why,
                        std::vector<Rejection> &rejected) {
    ++counts_.retried;
    if (items_[index].attempt >= policy_.max_event_attempts) reject(batch, index, why, rejected);
    // An event that blocks the stream is offered for ever; its count need not run over.
    else {
        if (charged_.size() >= most_charged) charged_.clear();
        charged_[batch.events[index]->at.id] = ++items_[index].attempt;
    }
}

void Dispatcher::take_outcomes(const Batch &batch, const StoreRejections &store) {
    std::vector<Rejection> rejected;
    delivered_ = 0;
    rejecting_.clear();
    failure_.clear();
    held_failure_.clear();
    last_delivered_ = 0;
    away_ = outcomes_.status != sinks::Status::ok;
    for (std::size_t position = 0; position < offer_.size(); ++position)
        if (outcomes_.verdicts[position] == sinks::Verdict::delivered)
            last_delivered_ = offer_.index(position);
    for (std::size_t position = 0; position < offer_.size(); ++position) {
        const std::size_t index = offer_.index(position);
        switch (outcomes_.verdicts[position]) {
        case sinks::Verdict::delivered:
            items_[index].settled = items_[index].delivered = true;
            consecutive_rejected_ = 0;
            if (!charged_.empty()) charged_.erase(batch.events[index]->at.id);
            ++delivered_;
            if (!crashes_.empty()) crashes_.settle(batch.events[index]->at);
            break;
        case sinks::Verdict::retry:
            charge(batch, index, std::string(reason_of(position)), rejected);
            if (!items_[index].settled) failed(position);
            break;
        case sinks::Verdict::rejected:
            reject(batch, index, std::string(reason_of(position)), rejected);
            if (!items_[index].settled) failed(position);
            break;
        case sinks::Verdict::not_attempted:
            break;
        }
        if (items_[index].settled) held_.release(offer_.key(position));
    }
    if (outcomes_.status != sinks::Status::ok && outcomes_.status != sinks::Status::cancelled) {
        failure_ = fmt::format("{}: {}", name_of(outcomes_.status), outcomes_.reason);
        if (outcomes_.status == sinks::Status::broken) {
            const auto unsettled =
                std::find_if(items_.begin() + static_cast<std::ptrdiff_t>(first_), items_.end(),
                             [](const Item &item) { return !item.settled; });
            if (unsettled != items_.end())
                charge(batch, static_cast<std::size_t>(unsettled - items_.begin()), failure_,
                       rejected);
        }
    } else if (outcomes_.status == sinks::Status::cancelled && delivered_ == 0 &&
               failure_.empty()) {
        failure_ = outcomes_.reason.empty() ? "no answer in time" : outcomes_.reason;
    }
    counts_.delivered += delivered_;
    if (delivered_ > 0) {
        const auto written = batch.events[offer_.index(0)]->at.created_at;
        counts_.delay_seconds.observe(std::max(seconds_between(written, wall_clock()), 0.0));
        health_.took_something();
    }
    if (!rejected.empty()) store_rejected(rejected, store);
    if (delivered_ > 0 && !crashes_.empty())
        for (const auto &at : crashes_.forget_settled())
            forgotten_crashes_.push_back(at);
    while (first_ < items_.size() && items_[first_].settled)
        ++first_;
}

void Dispatcher::store_rejected(const std::vector<Rejection> &rejected,
                                const StoreRejections &store) {
    try {
        store(rejected);
    } catch (...) {
        // Not stored, not settled: the events are offered, and rejected, once more.
        for (const auto index : rejecting_)
            items_[index].settled = false;
        consecutive_rejected_ -= static_cast<std::uint32_t>(
            std::min<std::size_t>(consecutive_rejected_, rejecting_.size()));
        while (first_ < items_.size() && items_[first_].settled)
            ++first_;
        throw;
    }
    counts_.rejected += rejected.size();
}

milliseconds Dispatcher::note_failure(milliseconds asked_to_wait) {
    ++counts_.failed_calls;
    return health_.failed(failure_, asked_to_wait);
}

Settled Dispatcher::deliver(const Batch &batch, std::string_view uid, const StoreRejections &store,
                            const RequireLease &require_lease, Holding holding) {
    holding_ = policy_.group_key.empty() ? Holding::nothing : holding;
    open(batch, uid);
    Settled settled;
    try {
        if (!crashes_.empty()) reject_crashed(batch, store);
    } catch (const Error &error) {
        settled.failure = error;
    }
    while (!settled.failure && first_ < items_.size() && !halt_.halted()) {
        try {
            if (!offer(batch, require_lease)) break;
            take_outcomes(batch, store);
        } catch (const Error &error) {
            settled.failure = error;
            break;
        }
        if (!held_failure_.empty()) report_held();
        if (failure_.empty()) {
            const bool in_vain = !held_failure_.empty() && delivered_ == 0;
            if (!in_vain) health_.succeeded();
            if (!in_vain || !offer_.has_fresh_keys()) continue;
            // The keys have waits of their own; whether they are all there is, is what counts here.
            failure_ = held_failure_;
            note_failure(milliseconds(0));
            if (outage()) break;
            continue;
        }
        milliseconds asked_to_wait = outcomes_.retry_after;
        for (const auto &reason : outcomes_.reasons)
            asked_to_wait = std::max(asked_to_wait, reason.retry_after);
        const auto wait = note_failure(asked_to_wait);
        if (outage() || halt_.wait_for(wait)) break;
    }
    note_in_hand(batch);
    settled.prefix = first_;
    settled.whole = first_ == items_.size();
    for (std::size_t i = first_; i < items_.size(); ++i)
        if (items_[i].settled) settled.delivered.push_back(i);
    return settled;
}

void Dispatcher::report_held() {
    const auto now = Clock::now();
    if (now < next_held_report_) return;
    next_held_report_ = now + std::chrono::seconds(1);
    const auto wait = std::chrono::ceil<milliseconds>(held_.next_attempt() - now);
    log.warn("events failed and hold back their keys, all other keys go on",
             {{"keys", held_.size()},
              {"reason", held_failure_},
              {"next_attempt_ms", std::max<std::int64_t>(wait.count(), 0)}});
}

void Dispatcher::give_up_holding() {
    health_.give_up(fmt::format("events of {} keys failed, and more wait behind them than can be "
                                "held back; the last that failed: {}",
                                held_.size(), held_reason_));
}

bool Dispatcher::worth_a_call() {
    if (!outage() || !sink_.has_probe()) return true;
    std::string reason;
    milliseconds retry_after{0};
    const auto status = sink_.probe(Clock::now() + policy_.call_limit, reason, retry_after);
    if (status == sinks::Status::ok) return true;
    failure_ = fmt::format("{}: {}", name_of(status), reason);
    note_failure(retry_after);
    return false;
}

void Dispatcher::probe() {
    if (!sink_.has_probe()) return;
    std::string reason;
    milliseconds retry_after{0};
    const auto status = sink_.probe(Clock::now() + policy_.call_limit, reason, retry_after);
    if (status != sinks::Status::ok && status != sinks::Status::cancelled)
        log.warn("the idle sink does not answer well",
                 {{"status", name_of(status)}, {"reason", reason}});
}

} // namespace pgat::delivery
