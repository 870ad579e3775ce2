#include "delivery/batch.hpp"

#include <algorithm>
#include <cstring>

#include "delivery/dispatcher.hpp"

namespace pgat::delivery {

bool Settled::all_between(std::size_t first, std::size_t last) const noexcept {
    first = std::max(first, prefix);
    if (last <= first) return true;
    const auto begin = std::lower_bound(delivered.begin(), delivered.end(), first);
    const auto end = std::lower_bound(begin, delivered.end(), last);
    return static_cast<std::size_t>(end - begin) == last - first;
}

std::optional<outbox::Position> lowest_unsettled(const Batch &batch, const Settled &settled) {
    std::optional<outbox::Position> lowest;
    auto next = settled.delivered.begin();
    for (std::size_t i = settled.prefix; i < batch.events.size(); ++i) {
        if (next != settled.delivered.end() && *next == i)
            ++next;
        else if (!lowest || batch.events[i]->at < *lowest)
            lowest = batch.events[i]->at;
    }
    return lowest;
}

HeldEvent::HeldEvent(const outbox::Event &from)
    : event(from), text(std::make_unique_for_overwrite<char[]>(bytes())) {
    const auto copy = [](char *to, std::string_view &text_seen) {
        if (text_seen.empty()) return to;
        std::memcpy(to, text_seen.data(), text_seen.size());
        text_seen = {to, text_seen.size()};
        return to + text_seen.size();
    };
    copy(copy(text.get(), event.payload), event.metadata);
}

void Batch::keep_unsettled(const Settled &settled) {
    if (settled.prefix == events.size()) return clear();
    std::vector<std::unique_ptr<HeldEvent>> left;
    std::vector<outbox::Mark> left_marks;
    auto mark = marks.begin();
    const auto pass_marks = [&](std::size_t index) {
        for (; mark != marks.end() && mark->events_before <= index; ++mark) {
            // All before it is settled, and it is passed.
            if (left.empty()) continue;
            const bool settled_whole =
                !left_marks.empty() && left_marks.back().events_before == left.size();
            if (settled_whole)
                left_marks.back().position = mark->position;
            else
                left_marks.push_back({left.size(), mark->position, mark->xid});
        }
    };
    auto next_settled = settled.delivered.begin();
    held_bytes = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        pass_marks(i);
        if (i < settled.prefix) continue;
        if (next_settled != settled.delivered.end() && *next_settled == i) {
            ++next_settled;
            continue;
        }
        left.push_back(i < held.size() ? std::move(held[i])
                                       : std::make_unique<HeldEvent>(*events[i]));
        held_bytes += left.back()->bytes();
    }
    pass_marks(events.size());
    held = std::move(left);
    marks = std::move(left_marks);
    held_marks = marks.size();
    events.clear();
    for (const auto &event : held)
        events.push_back(&event->event);
    chunks.clear();
    bytes = 0;
}

} // namespace pgat::delivery
