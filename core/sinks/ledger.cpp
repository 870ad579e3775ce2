#include "sinks/ledger.hpp"

#include <algorithm>
#include <unordered_set>

#include "sinks/text.hpp"

namespace pgat::sinks {
namespace {

// Where events wait behind retried ones: per key, and at a barrier (an event without a key) all of
// them.
class Blocked {
  public:
    bool blocks(std::string_view key) const {
        return barrier_ || (key.empty() ? any_ : keys_.contains(key));
    }
    void add(std::string_view key) {
        any_ = true;
        if (key.empty()) {
            barrier_ = true;
        } else {
            keys_.insert(key);
        }
    }

  private:
    std::unordered_set<std::string_view> keys_;
    bool any_ = false;
    bool barrier_ = false;
};

Verdict to_verdict(pgat_verdict verdict) noexcept {
    switch (verdict) {
    case PGAT_DELIVERED:
        return Verdict::delivered;
    case PGAT_REJECTED:
        return Verdict::rejected;
    default:
        return Verdict::retry;
    }
}

} // namespace

std::chrono::milliseconds bounded_wait(std::uint64_t milliseconds) noexcept {
    constexpr std::uint64_t day = 24ULL * 3600 * 1000;
    return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(milliseconds, day)));
}

void Ledger::open(Outcomes &outcomes, std::uint32_t count) {
    outcomes.status = Status::ok;
    outcomes.reason.clear();
    outcomes.retry_after = {};
    outcomes.verdicts.assign(count, Verdict::not_attempted);
    outcomes.reasons.clear();
    outcomes_ = &outcomes;
    unsettled_ = count;
}

std::string_view Ledger::settle(std::uint32_t index, const pgat_outcome &outcome) {
    if (outcomes_ == nullptr) return "a verdict outside publish()";
    if (!PGAT_HAS(pgat_outcome, &outcome, message))
        return "an outcome whose struct_size is too small";
    if (index >= outcomes_->verdicts.size()) return "a verdict for an event beyond the batch";
    Verdict &verdict = outcomes_->verdicts[index];
    if (verdict != Verdict::not_attempted) return "a second verdict for an event";
    const Verdict given = to_verdict(outcome.verdict);
    if (given != Verdict::delivered) {
        const auto wait = given == Verdict::retry ? bounded_wait(outcome.retry_after_ms)
                                                  : std::chrono::milliseconds(0);
        std::string text = one_line(from_abi(outcome.message), max_reason);
        if (!text.empty() || wait.count() > 0)
            outcomes_->reasons.push_back({index, std::move(text), wait});
    }
    verdict = given;
    --unsettled_;
    return {};
}

std::string_view Ledger::delivered(std::uint32_t first, std::uint32_t count) {
    if (outcomes_ == nullptr) return "a verdict outside publish()";
    std::vector<Verdict> &verdicts = outcomes_->verdicts;
    if (first > verdicts.size() || count > verdicts.size() - first)
        return "a verdict for an event beyond the batch";
    const auto begin = verdicts.begin() + first;
    const auto end = begin + count;
    if (std::any_of(begin, end, [](Verdict v) { return v != Verdict::not_attempted; }))
        return "a second verdict for an event";
    std::fill(begin, end, Verdict::delivered);
    unsettled_ -= count;
    return {};
}

std::uint32_t Ledger::charge_forgotten(std::span<const OutgoingEvent> events) {
    if (unsettled_ == 0) return 0;
    Blocked blocked;
    std::uint32_t forgotten = 0;
    for (std::uint32_t i = 0; i < events.size(); ++i) {
        Verdict &verdict = outcomes_->verdicts[i];
        const std::string_view key = events[i].key;
        if (verdict == Verdict::not_attempted && !blocked.blocks(key)) {
            verdict = Verdict::retry;
            --unsettled_;
            ++forgotten;
            outcomes_->reasons.push_back({i, "the plugin gave no verdict for it", {}});
        }
        if (verdict == Verdict::not_attempted || verdict == Verdict::retry) blocked.add(key);
    }
    return forgotten;
}

} // namespace pgat::sinks
