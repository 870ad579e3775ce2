// Decides which events of a batch may be sent now, so that the order of the stream holds: events of one key
// one after the other, an event without a key only when all before it are settled and nothing after it
// before it is. No I/O; told what became of each request.
//
// The batch is cut where events with a key and events without one meet. Within such a stretch events go in
// lanes: without a key in one, with keys in one lane a key, or, where a request takes many events, in one of
// `concurrency` lanes by the key's hash. A lane has one request in flight.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace pgat::http {

class Schedule {
  public:
    struct Shape {
        unsigned concurrency = 1; // lanes worth having; 1: a single one, in the stream's order
        bool many_events_a_request = false;
    };

    // What goes into one request: events of one lane, ascending.
    struct Request {
        std::uint32_t lane = 0;
        std::vector<std::uint32_t> events;
    };

    explicit Schedule(Shape shape) : shape_(shape) {}

    // A new batch. `keys` stay where they are until the next begin(). Events may share a request only if
    // their `groups` are equal; an empty `groups` puts all in one.
    void begin(std::vector<std::string_view> keys, std::vector<std::uint32_t> groups);

    // The next request that may start; false: none before another one is done. Each one taken must come
    // back through exactly one of done() and split().
    bool next(Request &request);

    // Every event of it has its verdict, or was retried, or the sink has given up.
    void done(const Request &request);
    // It was refused because of one of its several events: each half goes by itself, first half first.
    void split(const Request &request);
    // The event will come again in a later batch: whatever must come after it is left alone from here on.
    void retry(std::uint32_t event);

  private:
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    struct Lane {
        std::uint32_t next = none;                     // event not yet sent
        std::vector<std::vector<std::uint32_t>> parts; // of refused requests; the last goes first
    };

    std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(keys_.size()); }
    bool open_stretch();
    void add_to_lane(std::uint32_t lane, std::uint32_t event);
    void take(std::uint32_t lane, std::vector<std::uint32_t> &events);
    void make_ready(std::uint32_t lane);
    bool held_back(std::uint32_t event) const;

    Shape shape_;
    std::vector<std::string_view> keys_;
    std::vector<std::uint32_t> groups_;

    std::vector<std::uint32_t> following_; // the next event of the same lane
    std::vector<Lane> lanes_;
    std::vector<std::uint32_t> last_; // the last event of each lane, while lanes are made
    std::unordered_map<std::string_view, std::uint32_t> lane_of_key_;
    std::vector<std::pair<std::uint32_t, std::uint32_t>>
        ready_;                 // heap of (first event, lane), lowest on top
    std::uint32_t stretch_ = 0; // where the next stretch begins
    std::uint32_t in_flight_ = 0;

    std::unordered_set<std::string_view> held_keys_;
    std::uint32_t stop_ = none; // this event and all after it are left alone
};

} // namespace pgat::http
