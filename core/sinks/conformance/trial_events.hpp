// Batches of events to try a plugin with. What a batch points to lives as long as the process, so that a plugin
// that keeps pointers too long is found by the one check that looks for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <pgat/sink.h>

#include "sinks/conformance/guarded_memory.hpp"

namespace pgat::conformance {

// Of one event.
struct TrialEvent {
    std::string id;
    std::string key;
    std::string payload = R"({"kind": "conformance", "data": {"id": 1}})";
    std::string metadata;
};

// `count` events as an application writes them: some keys, some events without, some metadata. Ids are never
// used twice by one machine.
std::vector<TrialEvent> usual_events(std::uint32_t count);
std::vector<TrialEvent> one_event();
// JSON as Postgres may print it, though few expect it. One event each.
std::vector<TrialEvent> odd_events();
// Its payload is one document of so many bytes.
TrialEvent event_of_size(std::size_t bytes);

enum class BatchShape {
    ours,
    sealed,  // seal() forbids all of it
    guarded, // each text, struct and array ends where a forbidden page begins
    future,  // structs longer than any header knows, garbage behind what is known, unknown flags
};

class TrialBatch {
  public:
    explicit TrialBatch(const std::vector<TrialEvent> &events, BatchShape shape = BatchShape::ours);

    // With the host's cancel_fd; `within`: the deadline, from now on; 0: none, negative: in the past.
    const pgat_batch *abi(int cancel_fd, std::chrono::milliseconds within);
    std::uint32_t count() const noexcept { return count_; }
    const std::vector<TrialEvent> &events() const noexcept { return events_; }

    // The call has returned: of a sealed batch nothing may be touched any more.
    void seal() const;

  private:
    void *place(const void *bytes, std::size_t size, const char *beyond, const char *sealed);
    pgat_str place_text(const std::string &text, const char *beyond, const char *sealed);

    const std::vector<TrialEvent> &events_;
    BatchShape shape_;
    std::uint32_t count_;
    const pgat_event *const *pointers_ = nullptr;
    std::vector<GuardedMemory> guarded_;
};

} // namespace pgat::conformance
