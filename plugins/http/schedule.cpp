#include "http/schedule.hpp"

#include <algorithm>
#include <functional>

namespace pgat::http {

void Schedule::begin(std::vector<std::string_view> keys, std::vector<std::uint32_t> groups) {
    keys_ = std::move(keys);
    groups_ = std::move(groups);
    following_.assign(keys_.size(), none);
    lanes_.clear();
    ready_.clear();
    stretch_ = 0;
    in_flight_ = 0;
    held_keys_.clear();
    stop_ = count();
}

bool Schedule::next(Request &request) {
    do {
        while (!ready_.empty()) {
            std::pop_heap(ready_.begin(), ready_.end(), std::greater<>());
            request.lane = ready_.back().second;
            ready_.pop_back();
            take(request.lane, request.events);
            if (!request.events.empty()) {
                ++in_flight_;
                return true;
            }
            make_ready(request.lane);
        }
    } while (in_flight_ == 0 && open_stretch());
    return false;
}

void Schedule::done(const Request &request) {
    --in_flight_;
    make_ready(request.lane);
}

void Schedule::split(const Request &request) {
    const auto middle =
        request.events.begin() + static_cast<std::ptrdiff_t>(request.events.size() / 2);
    Lane &lane = lanes_[request.lane];
    lane.parts.emplace_back(middle, request.events.end());
    lane.parts.emplace_back(request.events.begin(), middle);
    done(request);
}

void Schedule::retry(std::uint32_t event) {
    if (keys_[event].empty()) {
        stop_ = std::min(stop_, event + 1);
        return;
    }
    held_keys_.insert(keys_[event]);
    std::uint32_t barrier = event + 1;
    while (barrier < stop_ && !keys_[barrier].empty())
        ++barrier;
    stop_ = std::min(stop_, barrier);
}

// Makes lanes of the next stretch; false: there is none that may be sent.
bool Schedule::open_stretch() {
    if (stretch_ >= stop_) return false;
    const std::uint32_t begin = stretch_;
    const bool keyed = !keys_[begin].empty();
    const bool one_lane = shape_.concurrency == 1 || !keyed;
    lanes_.clear();
    last_.clear();
    lane_of_key_.clear();
    std::uint32_t event = begin;
    for (; event < count(); ++event) {
        if (shape_.concurrency != 1 && keys_[event].empty() == keyed) break;
        if (one_lane) {
            add_to_lane(0, event);
        } else if (shape_.many_events_a_request) {
            const std::size_t hash = std::hash<std::string_view>{}(keys_[event]);
            const auto lane = static_cast<std::uint32_t>(hash % shape_.concurrency);
            add_to_lane(lane, event);
        } else {
            const auto fresh = static_cast<std::uint32_t>(lanes_.size());
            add_to_lane(lane_of_key_.try_emplace(keys_[event], fresh).first->second, event);
        }
    }
    stretch_ = event;
    for (std::uint32_t lane = 0; lane < lanes_.size(); ++lane)
        make_ready(lane);
    return true;
}

void Schedule::add_to_lane(std::uint32_t lane, std::uint32_t event) {
    if (lane >= lanes_.size()) {
        lanes_.resize(lane + 1);
        last_.resize(lane + 1, none);
    }
    if (last_[lane] == none) {
        lanes_[lane].next = event;
    } else {
        following_[last_[lane]] = event;
    }
    last_[lane] = event;
}

// The events of the lane's next request; none if all it would have taken is held back.
void Schedule::take(std::uint32_t lane, std::vector<std::uint32_t> &events) {
    Lane &from = lanes_[lane];
    events.clear();
    if (!from.parts.empty()) {
        events = std::move(from.parts.back());
        from.parts.pop_back();
        events.erase(std::remove_if(events.begin(), events.end(),
                                    [this](std::uint32_t event) { return held_back(event); }),
                     events.end());
        return;
    }
    while (from.next != none) {
        const std::uint32_t event = from.next;
        const bool held = held_back(event);
        if (!held && !events.empty() && !groups_.empty() &&
            groups_[event] != groups_[events.front()])
            return;
        from.next = following_[event];
        if (held) continue;
        events.push_back(event);
        if (!shape_.many_events_a_request) return;
    }
}

void Schedule::make_ready(std::uint32_t lane) {
    const Lane &of = lanes_[lane];
    const std::uint32_t first = of.parts.empty() ? of.next : of.parts.back().front();
    if (first == none) return;
    ready_.emplace_back(first, lane);
    std::push_heap(ready_.begin(), ready_.end(), std::greater<>());
}

bool Schedule::held_back(std::uint32_t event) const {
    return event >= stop_ || (!held_keys_.empty() && held_keys_.contains(keys_[event]));
}

} // namespace pgat::http
