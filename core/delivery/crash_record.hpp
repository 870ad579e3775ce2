// Events at which the sink has crashed the daemon, as delivery deals with them: they, and those that were in one call
// with them, are offered alone; one that crashed it too often is given up. A sink that crashes at event after event
// is broken, and then none is given up.
//
// On the delivery thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "outbox/crashed_events.hpp"

namespace pgat::delivery {

class CrashRecord {
  public:
    // Crashes that an event is given, each of which costs a restart.
    static constexpr std::uint32_t most_crashes = 3;
    // Events given up in a row, with nothing delivered in between.
    static constexpr std::size_t most_given_up = 3;

    explicit CrashRecord(std::uint32_t max_event_attempts)
        : limit_(std::min(most_crashes, max_event_attempts)) {}

    // As the database has it.
    void set(std::vector<outbox::CrashedEvent> events);
    bool empty() const noexcept { return events_.empty() && through_ == EventId(); }

    // To be offered alone?
    bool suspect(EventId id) const noexcept { return id <= through_; }
    // What is known of it; null: it never crashed the sink.
    const outbox::CrashedEvent *find(const outbox::Position &at) const noexcept;
    bool too_often(const outbox::CrashedEvent &event) const noexcept {
        return event.crashes >= limit_;
    }
    // Were `more` given up as well, would all that are allowed be?
    bool sink_is_broken(std::size_t more) const noexcept;

    void settle(const outbox::Position &at) noexcept;
    // Something was delivered: the sink is not broken. What the database need not hold any longer.
    std::vector<outbox::Position> forget_settled();

  private:
    const std::uint32_t limit_;
    EventId through_{};
    std::vector<outbox::CrashedEvent> events_; // few
};

} // namespace pgat::delivery
