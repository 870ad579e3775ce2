#include "delivery/offer.hpp"

namespace pgat::delivery {

// What waits in the batch for long has its key looked up once.
std::string_view Offer::key_of(const Batch &batch, std::size_t index) {
    const auto &event = *batch.events[index];
    if (index >= batch.held.size()) return keys_.of(event);
    auto &known = batch.held[index]->key;
    if (!known) known = keys_.of(event);
    return *known;
}

bool Offer::pick(const Batch &batch, std::span<const Item> items, std::size_t first,
                 std::size_t most, const HeldKeys *held, bool one_a_key) {
    keys_.forget();
    events_.clear();
    indexes_.clear();
    keys_in_call_.clear();
    fresh_keys_ = false;
    const bool any_held = held != nullptr && !held->empty();
    const auto now = HeldKeys::Clock::now();
    bool stayed_back = false;
    for (std::size_t i = first; i < items.size() && (most == 0 || events_.size() < most); ++i) {
        if (items[i].settled) continue;
        const auto key = key_of(batch, i);
        if (any_held) {
            if (key.empty() && stayed_back) break;
            if (!key.empty() && held->waits(key, now)) {
                stayed_back = true;
                continue;
            }
        }
        if (one_a_key) {
            if (key.empty() && (!events_.empty() || stayed_back)) break;
            if (!keys_in_call_.insert(key).second) {
                stayed_back = true;
                continue;
            }
        }
        fresh_keys_ = fresh_keys_ || !any_held || key.empty() || !held->holds(key);
        const auto &event = *batch.events[i];
        events_.push_back({items[i].attempt, items[i].id, key, event.payload, event.metadata,
                           stream_, event.xid, event.commit_lsn, event.at.created_at});
        indexes_.push_back(i);
        if (one_a_key && key.empty()) break;
    }
    return !events_.empty();
}

} // namespace pgat::delivery
