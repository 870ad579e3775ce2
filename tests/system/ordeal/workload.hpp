// Writers of every kind, each a session of its own: through user tables with subscriptions, and directly
// into async_triggers.events.
//
// Rows are locked before their version is raised, and until the transaction ends, so that the versions of a
// row are committed in ascending order.
#pragma once

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "ledger.hpp"
#include "pause.hpp"
#include "stage.hpp"

namespace pgat::ordeal {

class Workload {
  public:
    // Makes the tables and the subscriptions.
    Workload(Stage &stage, Ledger &ledger);
    ~Workload();
    Workload(const Workload &) = delete;
    Workload &operator=(const Workload &) = delete;

    void start(std::uint64_t seed, int writers = 12);
    // Ends the writers, and what they left prepared as each was meant to end.
    void finish();

  private:
    class Writer;

    Stage &stage_;
    Ledger &ledger_;
    Pause over_;
    std::vector<std::thread> threads_;
};

} // namespace pgat::ordeal
