// Who has been given which verdict in the publish() that is running. Filled in by the plugin
// through the host's settle() and delivered(); a plugin cannot settle twice, out of range, or after
// the call.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include <pgat/sink.h>

#include "sinks/sink.hpp"

namespace pgat::sinks {

class Ledger {
  public:
    // From here to close() verdicts go to `outcomes`, which is emptied for `count` events.
    void open(Outcomes &outcomes, std::uint32_t count);
    void close() noexcept { outcomes_ = nullptr; }

    // Each returns why the verdict is refused; empty: it is written down.
    std::string_view settle(std::uint32_t index, const pgat_outcome &outcome);
    std::string_view delivered(std::uint32_t first, std::uint32_t count);

    std::uint32_t unsettled() const noexcept { return unsettled_; }
    // One an event of the open ledger, where they stay until it is closed; else null.
    const Verdict *verdicts() const noexcept {
        return outcomes_ == nullptr ? nullptr : outcomes_->verdicts.data();
    }

    // After a call that returned ok. An event that stands behind a retried one of its key was
    // rightly left alone; any other without a verdict counts as retry. Returns how many of these
    // there were.
    std::uint32_t charge_forgotten(std::span<const OutgoingEvent> events);

    // The plugin's handle for this ledger.
    pgat_outcomes *abi() noexcept { return reinterpret_cast<pgat_outcomes *>(this); }

  private:
    Outcomes *outcomes_ = nullptr;
    std::uint32_t unsettled_ = 0;
};

// A wait that a plugin asked for; what is longer than a day is a mistake.
std::chrono::milliseconds bounded_wait(std::uint64_t milliseconds) noexcept;

} // namespace pgat::sinks
