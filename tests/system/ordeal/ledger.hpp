// What was written, what the sink took, and what excuses a duplicate. Kept while everything else fails.
//
// All functions may be called from any thread.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pgat::ordeal {

using Clock = std::chrono::steady_clock;

// An event's identity as its row and as the id sent to the sink have it.
struct EventKey {
    std::int64_t id = 0;
    std::int64_t created_at = 0; // µs
    auto operator<=>(const EventKey &) const = default;
};

// Out of "<uid>-<id>-<created_at>"; nothing: it is none.
std::optional<EventKey> parse_event_id(std::string_view text);

enum class Outcome { unknown, committed, rolled_back };

struct Transaction {
    std::string kind;
    std::int64_t events = 0;
    Outcome outcome = Outcome::unknown;
};

// How often, and when, the sink took an event. `order` counts first deliveries.
struct Delivery {
    std::uint64_t order = 0;
    Clock::time_point last;
    bool answer_lost = false; // of the last time
    std::uint32_t times = 1;
};

// A second delivery of an event.
struct Repeat {
    EventKey event;
    Clock::time_point before;
    Clock::time_point again;
    bool answer_lost;
};

// A fault after which events may come again: those taken up to `to` and, where it can only have cost
// answers under way, not longer than `reach` before `from`; `most` of them.
struct Excuse {
    std::string kind;
    Clock::time_point from;
    Clock::time_point to;
    Clock::duration reach = Clock::duration::max();
    std::size_t most = SIZE_MAX;
};

struct Disorder {
    EventKey event;
    std::string row;
    std::int64_t version;
    std::int64_t after; // delivered before it
    Clock::time_point at;
};

class Ledger {
  public:
    // A transaction begins; its number marks all that it writes.
    std::int64_t begin(std::string kind);
    void end(std::int64_t transaction, std::int64_t events, Outcome outcome);

    // The sink took an event, or refused it for good; `body` is what came.
    void taken(std::string_view event_id, std::string_view body, bool answer_lost);
    void rejected(std::string_view event_id);

    void excuse(Excuse excuse);
    void count_fault(const std::string &kind);

    // How many different events were taken or rejected.
    std::size_t settled() const;

    struct Contents {
        std::map<std::int64_t, Transaction> transactions;
        std::map<EventKey, Delivery> deliveries;
        std::set<EventKey> rejected;
        std::vector<Repeat> repeats;
        std::vector<Excuse> excuses;
        std::vector<Disorder> disorders;
        std::vector<std::string> unreadable; // what came and is no event
        std::map<std::string, std::size_t> faults;
        Clock::time_point began = Clock::now();
    };
    Contents contents() const;

  private:
    mutable std::mutex mutex_;
    Contents contents_;
    std::map<std::string, std::int64_t> versions_; // newest delivered, of each row
};

} // namespace pgat::ordeal
