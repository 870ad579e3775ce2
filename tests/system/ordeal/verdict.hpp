// What came of it: the table of events, which is the truth, against what the sink took and what the writers
// know.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ledger.hpp"
#include "stage.hpp"

namespace pgat::ordeal {

struct Verdict {
    std::size_t committed = 0;
    std::size_t rejected = 0; // and kept as dead letters
    // Committed, neither taken nor kept as a dead letter.
    std::vector<std::string> lost;
    // Taken, and not committed.
    std::vector<std::string> phantoms;
    // A row's older version taken first after a newer one.
    std::vector<std::string> disorders;
    // Taken again without an excuse.
    std::vector<std::string> duplicates;
    std::map<std::string, std::size_t> excused; // by kind
    // The table is not what the writers know to have committed.
    std::vector<std::string> wrong_in_table;
    Clock::duration oldest_excused{}; // how long before a fault a repeated event had been delivered
};

Verdict judge(Stage &stage, const Ledger &ledger);

// One paragraph to print: the seed, and every figure.
std::string report(const Verdict &verdict, const Ledger &ledger, std::uint64_t seed);

} // namespace pgat::ordeal
