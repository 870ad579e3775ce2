#include "kafka/order.hpp"

#include <utility>

namespace pgat::kafka {

Order::Order(std::vector<Place> events)
    : events_(std::move(events)), number_of_(events_.size(), none) {
    if (events_.empty()) return;
    first_event_ = events_.front().event;
    position_.resize(events_.back().event - first_event_ + 1);
    for (std::size_t at = 0; at < events_.size(); ++at)
        position_[events_[at].event - first_event_] = at;
    numbers_.reserve(events_.size());
}

void Order::look_up_key(std::size_t position) {
    if (number_of_[position] != none) return;
    const auto fresh = static_cast<std::uint32_t>(keys_.size());
    const auto [at, added] = numbers_.try_emplace(events_[position].key, fresh);
    if (added) keys_.emplace_back();
    number_of_[position] = at->second;
}

bool Order::next(std::uint32_t &event) {
    while (!ready_.empty()) {
        const std::size_t position = ready_.front();
        ready_.pop_front();
        const Key *const key = key_of(position);
        if (retried_ && (key == nullptr || key->held)) {
            settle(position);
            continue;
        }
        event = events_[position].event;
        return true;
    }
    for (; next_ < events_.size(); ++next_) {
        const Place &place = events_[next_];
        Key *key = nullptr;
        if (place.key.empty()) {
            if (!may_go_without_key(place)) return false;
        } else {
            if (keyless_under_way_ > 0 || stopped_) return false;
            look_up_key(next_);
            key = key_of(next_);
            if (key->held) continue;
            if (key->any_waiting() || (key->under_way > 0 && key->lane != place.lane)) {
                key->waiting.push_back(next_);
                ++waiting_;
                continue;
            }
        }
        start(next_++, key);
        event = place.event;
        return true;
    }
    return false;
}

bool Order::may_go_without_key(const Place &place) const noexcept {
    if (retried_ || waiting_ > 0) return false;
    return under_way_ == 0 || (keyless_under_way_ == under_way_ && keyless_lane_ == place.lane);
}

void Order::start(std::size_t position, Key *key) noexcept {
    const Place &place = events_[position];
    ++under_way_;
    if (key == nullptr) {
        ++keyless_under_way_;
        keyless_lane_ = place.lane;
    } else {
        ++key->under_way;
        key->lane = place.lane;
    }
}

void Order::settle(std::size_t position) noexcept {
    --under_way_;
    if (Key *const key = key_of(position)) {
        --key->under_way;
    } else {
        --keyless_under_way_;
    }
}

void Order::done(std::uint32_t event) {
    const std::size_t position = position_of(event);
    settle(position);
    if (Key *const key = key_of(position)) release(*key);
}

// The first of those that wait goes on, and with it those behind it that share its lane.
void Order::release(Key &key) {
    if (key.under_way > 0 || key.held || !key.any_waiting()) return;
    const std::uint64_t lane = events_[key.waiting[key.gone]].lane;
    while (key.any_waiting() && events_[key.waiting[key.gone]].lane == lane) {
        const std::size_t position = key.waiting[key.gone++];
        --waiting_;
        start(position, &key);
        ready_.push_back(position);
    }
}

void Order::retried(std::uint32_t event) {
    const std::size_t position = position_of(event);
    settle(position);
    retried_ = true;
    if (Key *const key = key_of(position)) {
        key->held = true;
    } else {
        stopped_ = true;
    }
}

void Order::later(std::uint32_t event) { ready_.push_front(position_of(event)); }

} // namespace pgat::kafka
