// How often a slot may be replaced: a few times an hour.
//
// A slot that is lost again and again (a max_slot_wal_keep_size that is too small, somebody who drops idle
// slots) is not mended by yet another one: each waits for every open transaction of the cluster. Meanwhile
// the table has all that its stream would have. Counted in memory: a restart begins anew. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>

namespace pgat::replication {

class SlotLimit {
  public:
    using Clock = std::chrono::steady_clock;

    static constexpr std::size_t most = 6; // the first one included
    static constexpr std::chrono::hours within{1};

    // A slot was created.
    void note(Clock::time_point when);
    // From when on one more may be created; a time that has passed: now.
    Clock::time_point next(Clock::time_point now) const;

  private:
    mutable std::mutex mutex_;
    std::deque<Clock::time_point> created_; // the newest `most`
};

} // namespace pgat::replication
