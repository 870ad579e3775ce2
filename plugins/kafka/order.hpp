// Decides which events of a batch may be handed to the producer now, so that the order of the stream holds.
// No I/O; told what became of each event.
//
// A lane is a partition, or rather what decides on one: topic and key. The producer keeps the order within a
// lane, so events that must follow each other may be under way together as long as they share it. Where they
// do not, the later waits until the earlier is settled.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pgat::kafka {

class Order {
  public:
    struct Place {
        std::uint32_t event;  // index in the batch
        std::string_view key; // ordering key; empty: ordered with all others
        std::uint64_t lane;
    };

    // `events` in stream order; what the keys point to outlives the object.
    explicit Order(std::vector<Place> events);

    // The next event that may go; false: none before another one is settled. Each one taken must come back
    // through done(), retried() or later().
    bool next(std::uint32_t &event);

    // Delivered or rejected.
    void done(std::uint32_t event);
    // It comes again in a later batch: nothing that comes after it goes any more.
    void retried(std::uint32_t event);
    // It could not go just now: next() gives it again, before all others.
    void later(std::uint32_t event);

  private:
    struct Key {
        std::uint32_t under_way = 0;      // those in ready_ among them
        std::uint64_t lane = 0;           // of those under way
        std::vector<std::size_t> waiting; // positions, until those under way are settled
        std::size_t gone = 0;             // so many at the front of `waiting` do not wait any more
        bool held = false;                // behind a retried event

        bool any_waiting() const noexcept { return gone < waiting.size(); }
    };
    static constexpr std::uint32_t none = UINT32_MAX;

    // Null for an event without a key; not to be kept while more events are looked at.
    Key *key_of(std::size_t position) noexcept {
        return number_of_[position] == none ? nullptr : &keys_[number_of_[position]];
    }
    void look_up_key(std::size_t position);
    std::size_t position_of(std::uint32_t event) const noexcept {
        return position_[event - first_event_];
    }

    bool may_go_without_key(const Place &place) const noexcept;
    void start(std::size_t position, Key *key) noexcept;
    void settle(std::size_t position) noexcept;
    void release(Key &key);

    std::vector<Place> events_;
    std::uint32_t first_event_ = 0;
    std::vector<std::size_t> position_; // of an event, counted from first_event_
    // Each key is hashed once an event, and known by its number from then on.
    std::unordered_map<std::string_view, std::uint32_t> numbers_;
    std::vector<std::uint32_t> number_of_; // by position, up to next_
    std::vector<Key> keys_;
    std::deque<std::size_t> ready_; // go first; counted as under way
    std::size_t next_ = 0;          // position of the first event not looked at yet
    std::size_t waiting_ = 0;       // in all keys
    std::size_t under_way_ = 0;
    std::size_t keyless_under_way_ = 0;
    std::uint64_t keyless_lane_ = 0;
    bool retried_ = false; // some event was: none without a key goes any more
    bool stopped_ = false; // one without a key was: nothing goes any more
};

} // namespace pgat::kafka
