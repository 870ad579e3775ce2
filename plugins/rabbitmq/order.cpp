#include "rabbitmq/order.hpp"

#include <algorithm>
#include <functional>

namespace pgat::rabbitmq {

Order::Order(std::vector<std::string_view> keys, bool strict)
    : keys_(std::move(keys)), strict_(strict), states_(keys_.size(), State::waiting),
      following_(strict ? keys_.size() : 0, none) {}

bool Order::may_go(std::uint32_t event) const {
    return states_[event] == State::waiting && event < stop_ &&
           (held_keys_.empty() || !held_keys_.contains(keys_[event]));
}

std::optional<std::uint32_t> Order::next() { return strict_ ? next_alone() : next_in_line(); }

std::optional<std::uint32_t> Order::next_in_line() {
    for (; at_ < count(); ++at_) {
        if (!may_go(at_)) continue;
        states_[at_] = State::taken;
        return at_++;
    }
    return std::nullopt;
}

std::optional<std::uint32_t> Order::next_alone() {
    do {
        while (!ready_.empty()) {
            std::pop_heap(ready_.begin(), ready_.end(), std::greater<>());
            const std::uint32_t event = ready_.back();
            ready_.pop_back();
            if (!may_go(event)) continue;
            states_[event] = State::taken;
            ++under_way_;
            return event;
        }
    } while (under_way_ == 0 && open_stretch());
    return std::nullopt;
}

// The first event of each key in the next stretch becomes ready; a stretch without keys is one event long.
bool Order::open_stretch() {
    at_ = stretch_end_;
    while (at_ < count() && !may_go(at_))
        ++at_;
    if (at_ >= count()) return false;
    stretch_end_ = at_ + 1;
    if (keys_[at_].empty()) {
        ready_.push_back(at_);
        return true;
    }
    std::unordered_map<std::string_view, std::uint32_t> last;
    for (std::uint32_t event = at_; event < count() && !keys_[event].empty(); ++event) {
        stretch_end_ = event + 1;
        if (!may_go(event)) continue;
        following_[event] = none;
        const auto [found, first] = last.try_emplace(keys_[event], event);
        if (first) {
            ready_.push_back(event);
        } else {
            following_[found->second] = event;
            found->second = event;
        }
    }
    std::make_heap(ready_.begin(), ready_.end(), std::greater<>());
    return true;
}

void Order::done(std::uint32_t event) {
    states_[event] = State::settled;
    if (!strict_) return;
    --under_way_;
    if (!keys_[event].empty() && following_[event] != none) {
        ready_.push_back(following_[event]);
        std::push_heap(ready_.begin(), ready_.end(), std::greater<>());
    }
}

void Order::retry(std::uint32_t event) {
    states_[event] = State::retried;
    if (strict_) --under_way_;
    if (keys_[event].empty()) {
        stop_ = std::min(stop_, event + 1);
        return;
    }
    held_keys_.try_emplace(keys_[event], event);
    std::uint32_t barrier = event + 1;
    while (barrier < count() && barrier < stop_ && !keys_[barrier].empty())
        ++barrier;
    stop_ = std::min(stop_, barrier);
}

void Order::rewind() {
    for (State &state : states_)
        if (state == State::taken) state = State::waiting;
    at_ = stretch_end_ = under_way_ = 0;
    ready_.clear();
}

bool Order::behind_retry(std::uint32_t event) const {
    if (event >= stop_) return true;
    const auto held = held_keys_.find(keys_[event]);
    return held != held_keys_.end() && event > held->second;
}

bool Order::has_more() const {
    for (std::uint32_t event = 0; event < count(); ++event)
        if (states_[event] == State::taken || may_go(event)) return true;
    return false;
}

} // namespace pgat::rabbitmq
