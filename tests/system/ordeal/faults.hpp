// Everything that can fail beside the sink, one of every kind, shuffled, again and again.
//
// Some faults last (a daemon that is away or paused, a cut network, commits that nobody sees yet): in the
// middle of such a one another may strike. What a fault excuses goes to the ledger.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "ledger.hpp"
#include "stage.hpp"

namespace pgat::ordeal {

class Faults {
  public:
    Faults(Stage &stage, Ledger &ledger, std::uint64_t seed);

    // The next of the deck, and the time until the one after it.
    void strike();
    // How many kinds there are: so many strikes bring each once.
    std::size_t kinds() const noexcept { return lasting_.size() + sudden_.size(); }

  private:
    struct Fault {
        std::string name;
        std::function<void()> strike;
    };

    std::chrono::milliseconds between(int least, int most);
    bool chance(int of) { return random_() % static_cast<unsigned>(of) == 0; }
    void wait(std::chrono::milliseconds time);
    void run(const Fault &fault);
    // In the middle of a lasting fault.
    void perhaps_another();

    void kill_daemon();
    void end_daemon_at_a_point();
    void stop_daemon();
    void pause_daemon();
    void cut_network();
    void hold_commits();
    void second_daemon();

    // With a session, once nobody reads the slot: whoever does is thrown out.
    void with_free_slot(const std::function<void(postgres::Connection &)> &work);
    void drop_slot();
    void advance_slot();
    void recreate_slot();
    void invalidate_slot();
    void drop_publication();
    void recreate_publication();
    void end_sessions();
    void kill_backend();

    Stage &stage_;
    Ledger &ledger_;
    std::mt19937_64 random_;
    std::vector<Fault> lasting_;
    std::vector<Fault> sudden_;
    std::vector<const Fault *> deck_;
};

} // namespace pgat::ordeal
