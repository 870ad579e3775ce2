// Decides which event of a batch is sent next, so that the order of the stream holds: events of one key in
// their order, an event without a key after all before it and before all after it. No I/O.
//
// A channel keeps the order of what is published on it, so by default events go one behind the other without
// waiting. `strict`: an event goes only when those it comes after are settled, and several are under way only
// if their keys differ.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pgat::rabbitmq {

class Order {
  public:
    // `keys` of the events stay where they are.
    Order(std::vector<std::string_view> keys, bool strict);

    // Takes the next event; nothing: none may go before another one is settled, or at all.
    std::optional<std::uint32_t> next();

    // What became of an event that was taken.
    void done(std::uint32_t event); // delivered or rejected
    void
    retry(std::uint32_t event); // it comes again: nothing that comes after it is taken any more
    // Nothing of what was taken and not settled is under way any more: it is to be taken again.
    void rewind();

    // Does it come after an event that was retried?
    bool behind_retry(std::uint32_t event) const;
    // Is there an event that was never settled and does not stand behind a retried one?
    bool has_more() const;

  private:
    enum class State : std::uint8_t { waiting, taken, settled, retried };
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(keys_.size()); }
    bool may_go(std::uint32_t event) const;
    std::optional<std::uint32_t> next_in_line();
    std::optional<std::uint32_t> next_alone();
    bool open_stretch();

    const std::vector<std::string_view> keys_;
    const bool strict_;
    std::vector<State> states_;
    std::uint32_t at_ = 0; // all before it have been taken, settled or held back
    std::unordered_map<std::string_view, std::uint32_t>
        held_keys_;             // and the event that was retried
    std::uint32_t stop_ = none; // from here on nothing is taken

    // strict: the batch is cut where events with a key and events without one meet. In a stretch those that
    // may go now are `ready_`, and each names the one of its key that follows.
    std::uint32_t stretch_end_ = 0;
    std::uint32_t under_way_ = 0;
    std::vector<std::uint32_t> following_;
    std::vector<std::uint32_t> ready_; // heap, lowest first
};

} // namespace pgat::rabbitmq
