// The events of one call: which of a batch are offered now, in the stream's order and under which keys.
//
// With keys held back, events of a key whose time has not come stay where they are while the others go. An event
// without a key is a barrier: it goes only if nothing before it stays back, and nothing behind it goes before.
// On the delivery thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "delivery/batch.hpp"
#include "delivery/group_keys.hpp"
#include "delivery/held_keys.hpp"
#include "sinks/sink.hpp"

namespace pgat::delivery {

// Of an event of the batch in hand.
struct Item {
    std::uint32_t attempt = 1;
    bool settled = false;
    bool delivered = false;
    std::string_view id;
};

class Offer {
  public:
    Offer(StreamId stream, std::string group_key) : stream_(stream), keys_(std::move(group_key)) {}

    // Picks of the items from `first` on, up to `most` (0: all), what may go now; `held`: null if no keys are
    // held back; `one_a_key`: a sink goes on behind an event that it rejects, and where the stream does not,
    // nothing that must stay behind may be in the same call. False: nothing.
    bool pick(const Batch &batch, std::span<const Item> items, std::size_t first, std::size_t most,
              const HeldKeys *held, bool one_a_key);

    // Only the first `count` of what was picked, at least one, go.
    void keep(std::size_t count) {
        events_.resize(std::min(count, events_.size()));
        indexes_.resize(events_.size());
    }
    // Valid until the next pick().
    std::span<const sinks::OutgoingEvent> events() const noexcept { return events_; }
    std::size_t size() const noexcept { return events_.size(); }
    std::string_view key(std::size_t position) const { return events_[position].key; }
    // Where the event stands in the batch.
    std::size_t index(std::size_t position) const { return indexes_[position]; }
    // Has it an event of a key that was not held back before, or of none?
    bool has_fresh_keys() const noexcept { return fresh_keys_; }

  private:
    std::string_view key_of(const Batch &batch, std::size_t index);

    const StreamId stream_;
    GroupKeys keys_;
    std::vector<sinks::OutgoingEvent> events_;
    std::vector<std::size_t> indexes_;
    std::unordered_set<std::string_view> keys_in_call_; // with one_a_key
    bool fresh_keys_ = false;
};

} // namespace pgat::delivery
