#include "kafka/order.hpp"

#include <utility>

namespace pgat::kafka {

Order::Order(std::vector<Place> events) : events_(std::move(events)) {
    position_.reserve(events_.size());
    for (std::size_t at = 0; at < events_.size(); ++at)
        position_.emplace(events_[at].event, at);
}

bool Order::next(std::uint32_t &event) {
    while (!ready_.empty()) {
        const std::size_t position = ready_.front();
        ready_.pop_front();
        const Place &place = events_[position];
        if (retried_ && (place.key.empty() || keys_[place.key].held)) {
            settle(position);
            continue;
        }
        event = place.event;
        return true;
    }
    for (; next_ < events_.size(); ++next_) {
        const Place &place = events_[next_];
        Key *key = nullptr;
        if (place.key.empty()) {
            if (!may_go_without_key(place)) return false;
        } else {
            if (keyless_under_way_ > 0 || stopped_) return false;
            key = &keys_[place.key];
            if (key->held) continue;
            if (!key->waiting.empty() || (key->under_way > 0 && key->lane != place.lane)) {
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
    const Place &place = events_[position];
    --under_way_;
    if (place.key.empty()) {
        --keyless_under_way_;
    } else {
        --keys_.find(place.key)->second.under_way;
    }
}

void Order::done(std::uint32_t event) {
    const std::size_t position = position_.at(event);
    settle(position);
    const Place &place = events_[position];
    if (!place.key.empty()) release(keys_[place.key]);
}

// The first of those that wait goes on, and with it those behind it that share its lane.
void Order::release(Key &key) {
    if (key.under_way > 0 || key.held || key.waiting.empty()) return;
    const std::uint64_t lane = events_[key.waiting.front()].lane;
    while (!key.waiting.empty() && events_[key.waiting.front()].lane == lane) {
        const std::size_t position = key.waiting.front();
        key.waiting.pop_front();
        --waiting_;
        start(position, &key);
        ready_.push_back(position);
    }
}

void Order::retried(std::uint32_t event) {
    const std::size_t position = position_.at(event);
    settle(position);
    retried_ = true;
    const Place &place = events_[position];
    if (place.key.empty()) {
        stopped_ = true;
    } else {
        keys_[place.key].held = true;
    }
}

void Order::later(std::uint32_t event) { ready_.push_front(position_.at(event)); }

} // namespace pgat::kafka
