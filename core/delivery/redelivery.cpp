#include "delivery/redelivery.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "delivery/event_id.hpp"
#include "observe/log.hpp"

namespace pgat::delivery {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr observe::Log log{"delivery"};
constexpr auto longest_call = milliseconds(1000);

} // namespace

Redelivery::Redelivery(sinks::Sink &sink, RedeliveryPolicy policy, const Halt &halt,
                       DeliveryCounts &counts)
    : sink_(sink), policy_(std::move(policy)), halt_(halt), counts_(counts),
      keys_(policy_.group_key), backoff_(policy_.initial_backoff, policy_.max_backoff) {}

void Redelivery::open(Events events, std::string_view uid) {
    const std::size_t room = uid.size() + event_id_room;
    if (ids_.size() < events.size() * room) ids_.resize(events.size() * room);
    items_.assign(events.size(), Item{});
    for (std::size_t i = 0; i < events.size(); ++i)
        items_[i].id = write_event_id(ids_.data() + i * room, uid, events[i]->at);
    result_ = Redelivered();
}

void Redelivery::offer(Events events) {
    const std::size_t limit =
        sink_.max_batch() == 0 ? window_ : std::min<std::size_t>(window_, sink_.max_batch());
    keys_.forget();
    outgoing_.clear();
    offered_.clear();
    for (std::size_t i = result_.prefix; i < items_.size() && outgoing_.size() < limit; ++i) {
        if (items_[i].settled) continue;
        const auto &event = *events[i];
        outgoing_.push_back({items_[i].attempt, items_[i].id, keys_.of(event), event.payload,
                             event.metadata, policy_.stream, event.xid, event.commit_lsn,
                             event.at.created_at});
        offered_.push_back(i);
    }
    const auto begun = Clock::now();
    sink_.publish(outgoing_, begun + policy_.call_limit, outcomes_);
    ++counts_.calls;
    // Somebody watches, and may want to stop.
    const auto took = Clock::now() - begun;
    if (took > longest_call)
        window_ = std::max<std::size_t>(window_ / 2, 1);
    else if (took < longest_call / 4 && outgoing_.size() == window_)
        window_ *= 2;
}

std::string_view Redelivery::reason_of(std::size_t position) const {
    const auto found = std::lower_bound(
        outcomes_.reasons.begin(), outcomes_.reasons.end(), position,
        [](const sinks::Reason &reason, std::size_t wanted) { return reason.index < wanted; });
    if (found != outcomes_.reasons.end() && found->index == position) return found->text;
    return outcomes_.reason.empty() ? "the sink gave no reason"
                                    : std::string_view(outcomes_.reason);
}

milliseconds Redelivery::wait_asked_for() const {
    milliseconds wait = outcomes_.retry_after;
    for (const auto &reason : outcomes_.reasons)
        wait = std::max(wait, reason.retry_after);
    return wait;
}

void Redelivery::settle_delivered(std::size_t index) {
    items_[index].settled = true;
    result_.delivered.push_back(index);
    ++counts_.delivered;
    rejected_in_row_ = exhausted_in_row_ = 0;
    refused_since_.reset();
}

void Redelivery::refuse(Events events, std::size_t index, std::string_view reason) {
    items_[index].settled = true;
    result_.refused.push_back({index, std::string(reason), items_[index].attempt});
    ++counts_.rejected;
    if (!refused_since_) refused_since_ = events[index]->at;
}

void Redelivery::give_up(std::string reason) {
    result_.given_up = GivenUp{std::move(reason), std::nullopt};
}

void Redelivery::take_outcomes(Events events) {
    again_.clear();
    failure_.clear();
    for (std::size_t position = 0; position < offered_.size(); ++position) {
        const std::size_t index = offered_[position];
        switch (outcomes_.verdicts[position]) {
        case sinks::Verdict::delivered:
            settle_delivered(index);
            break;
        case sinks::Verdict::rejected:
            ++rejected_in_row_;
            refuse(events, index, reason_of(position));
            break;
        case sinks::Verdict::retry:
            ++counts_.retried;
            if (policy_.each_once) {
                refuse(events, index, reason_of(position));
            } else {
                again_.push_back(position);
                if (failure_.empty()) failure_ = reason_of(position);
            }
            break;
        case sinks::Verdict::not_attempted:
            break;
        }
    }
    if (outcomes_.status == sinks::Status::broken) {
        failure_ = "the plugin broke: " + outcomes_.reason;
        blame_plugin(events);
    } else if (outcomes_.status != sinks::Status::ok && failure_.empty()) {
        failure_ = outcomes_.reason.empty() ? "no answer in time" : outcomes_.reason;
    }
    while (result_.prefix < items_.size() && items_[result_.prefix].settled)
        ++result_.prefix;
}

// The first unsettled event is charged with it, as the ABI says.
void Redelivery::blame_plugin(Events events) {
    const auto first = std::find_if(offered_.begin(), offered_.end(),
                                    [this](std::size_t index) { return !items_[index].settled; });
    if (first == offered_.end()) return;
    const auto position = static_cast<std::size_t>(first - offered_.begin());
    if (policy_.each_once) {
        ++exhausted_in_row_;
        refuse(events, *first, failure_);
    } else if (again_.empty() || again_.front() != position) {
        again_.insert(again_.begin(), position);
    }
}

bool Redelivery::patience_lost() {
    if (idle_calls_++ == 0) idle_since_ = Clock::now();
    return idle_calls_ >= policy_.attempts && Clock::now() - idle_since_ >= policy_.max_backoff;
}

void Redelivery::lose_patience(Events events) {
    // Where the sink says that it is away, no event is to blame.
    if (again_.empty() || outcomes_.status == sinks::Status::unavailable) {
        give_up(failure_);
        return;
    }
    for (const auto position : again_) {
        ++exhausted_in_row_;
        refuse(events, offered_[position], reason_of(position));
    }
    idle_calls_ = 0;
    while (result_.prefix < items_.size() && items_[result_.prefix].settled)
        ++result_.prefix;
}

Redelivered Redelivery::deliver(Events events, std::string_view uid) {
    open(events, uid);
    while (result_.prefix < items_.size() && !halt_.halted()) {
        offer(events);
        const std::size_t settled_before = result_.delivered.size() + result_.refused.size();
        take_outcomes(events);
        const bool idle = result_.delivered.size() + result_.refused.size() == settled_before;
        if (!idle) {
            if (idle_calls_ >= policy_.attempts) log.info("the sink takes events again");
            idle_calls_ = 0;
            backoff_.reset();
        } else if (failure_.empty()) {
            failure_ = "the sink did nothing with the events";
        }
        const bool patient = !idle || !patience_lost();
        if (!patient) lose_patience(events);
        if (result_.given_up) break;
        if (exhausted_in_row_ >= policy_.attempts ||
            (!policy_.each_once && rejected_in_row_ >= policy_.max_consecutive_rejected)) {
            result_.given_up = GivenUp{
                fmt::format("it refused {} events in a row, the last with: {}",
                            rejected_in_row_ + exhausted_in_row_, result_.refused.back().reason),
                refused_since_};
            break;
        }
        for (const auto position : again_)
            ++items_[offered_[position]].attempt;
        if (result_.prefix == items_.size()) break;
        milliseconds wait = wait_asked_for();
        if (!failure_.empty()) {
            wait = std::max(wait, backoff_.next());
            ++counts_.failed_calls;
            if (patient)
                log.warn("the sink did not take all, it is asked again",
                         {{"reason", failure_}, {"next_attempt_ms", wait.count()}});
        }
        if (wait > milliseconds(0) && halt_.wait_for(wait)) break;
    }
    return std::move(result_);
}

} // namespace pgat::delivery
