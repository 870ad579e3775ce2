#include "delivery/crash_record.hpp"

namespace pgat::delivery {

void CrashRecord::set(std::vector<outbox::CrashedEvent> events) {
    events_ = std::move(events);
    for (const auto &event : events_)
        through_ = std::max({through_, event.through, event.at.id});
}

const outbox::CrashedEvent *CrashRecord::find(const outbox::Position &at) const noexcept {
    for (const auto &event : events_)
        if (event.at == at) return &event;
    return nullptr;
}

bool CrashRecord::sink_is_broken(std::size_t more) const noexcept {
    const auto given_up = std::count_if(events_.begin(), events_.end(), [this](const auto &event) {
        return event.settled && too_often(event);
    });
    return static_cast<std::size_t>(given_up) + more >= most_given_up;
}

void CrashRecord::settle(const outbox::Position &at) noexcept {
    for (auto &event : events_)
        if (event.at == at) event.settled = true;
}

std::vector<outbox::Position> CrashRecord::forget_settled() {
    std::vector<outbox::Position> forgotten;
    std::erase_if(events_, [&](const auto &event) {
        if (event.settled) forgotten.push_back(event.at);
        return event.settled;
    });
    return forgotten;
}

} // namespace pgat::delivery
