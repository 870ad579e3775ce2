#include "rabbitmq/confirms.hpp"

#include <algorithm>

namespace pgat::rabbitmq {

void Confirms::add(std::uint64_t number, std::uint32_t event) {
    entries_.push_back({number, event, false, {}});
    ++waiting_;
    last_number_ = number;
}

void Confirms::take(std::uint64_t number, bool multiple, std::vector<Answered> &answered) {
    const auto settle = [&](Entry &entry) {
        if (entry.answered) return;
        entry.answered = true;
        --waiting_;
        answered.push_back({entry.number, entry.event, std::move(entry.returned)});
    };
    if (multiple) {
        if (number == 0) number = UINT64_MAX; // AMQP's word for all of them
        for (Entry &entry : entries_) {
            if (entry.number > number) break;
            settle(entry);
        }
    } else {
        const auto found = std::lower_bound(
            entries_.begin(), entries_.end(), number,
            [](const Entry &entry, std::uint64_t wanted) { return entry.number < wanted; });
        if (found != entries_.end() && found->number == number) settle(*found);
    }
    while (!entries_.empty() && entries_.front().answered)
        entries_.pop_front();
}

void Confirms::note_return(std::uint32_t event, std::string why) {
    for (Entry &entry : entries_)
        if (entry.event == event && !entry.answered) entry.returned = std::move(why);
}

std::vector<std::uint32_t> Confirms::events() const {
    std::vector<std::uint32_t> under_way;
    for (const Entry &entry : entries_)
        if (!entry.answered) under_way.push_back(entry.event);
    return under_way;
}

void Confirms::clear() noexcept {
    entries_.clear();
    waiting_ = 0;
    last_number_ = 0;
}

} // namespace pgat::rabbitmq
