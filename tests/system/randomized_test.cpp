// Everything fails, again and again, while several sessions write: no event is lost, none is made up, the
// versions of a row come in order, and duplicates only where a crash or a lost answer explains them.
//
//   PGAT_RANDOM_SEED=7      that seed, instead of the short run's
//   PGAT_TEST_LONG=1        (tests/run --long) a new seed, for half an hour
//   PGAT_RANDOM_MINUTES=5   for so long
//   PGAT_RANDOM_BAD_WEATHER=1 has the sink down most of the time
//   PGAT_TEST_LOGS=<folder> keeps the daemons' logs
#include <cstdlib>
#include <iostream>
#include <random>

#include <gtest/gtest.h>

#include "ordeal/faults.hpp"
#include "ordeal/ledger.hpp"
#include "ordeal/sink.hpp"
#include "ordeal/stage.hpp"
#include "ordeal/verdict.hpp"
#include "ordeal/workload.hpp"
#include "support/waiting.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using ordeal::Clock;

constexpr std::uint64_t short_seed = 20261122;

std::optional<std::uint64_t> variable(const char *name) {
    const char *const text = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    if (text == nullptr || *text == '\0') return std::nullopt;
    return std::stoull(text);
}

std::string first_lines(const std::vector<std::string> &all) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 20); ++i)
        text += "  " + all[i] + "\n";
    return text;
}

// All that is committed has come, or nothing has for a minute.
bool arrived(ordeal::Stage &stage, const ordeal::Ledger &ledger) {
    std::int64_t committed = 0;
    stage.ask([&](postgres::Connection &sql) {
        committed = sql.exec("SELECT count(*) FROM async_triggers.events").integer(0, 0);
    });
    for (std::size_t last = 0;;) {
        const bool more = support::eventually(
            [&] {
                stage.look_after_daemon();
                const auto now = ledger.settled();
                return now >= static_cast<std::size_t>(committed) || now > last + 100;
            },
            60s);
        last = ledger.settled();
        if (last >= static_cast<std::size_t>(committed)) return true;
        if (!more) return false;
    }
}

TEST(Randomized, NothingIsLostWhateverFails) {
    const bool is_long = variable("PGAT_TEST_LONG").has_value();
    const auto seed =
        variable("PGAT_RANDOM_SEED").value_or(is_long ? std::random_device{}() : short_seed);
    const auto minutes = variable("PGAT_RANDOM_MINUTES").value_or(is_long ? 30 : 0);
    const bool keyed = seed % 4 < 2;
    std::cout << "seed " << seed << (keyed ? ", keyed" : "") << ", for " << minutes
              << " minutes at least" << std::endl;

    ordeal::Ledger ledger;
    ordeal::WeatheredSink sink(ledger);
    ordeal::Stage stage(ledger, sink.configuration(), keyed);
    ordeal::Workload workload(stage, ledger);
    stage.start_daemon();
    workload.start(seed);
    sink.let_it_change(seed, variable("PGAT_RANDOM_BAD_WEATHER").has_value());
    ordeal::Faults faults(stage, ledger, seed);
    const auto until = Clock::now() + std::chrono::minutes(minutes);
    for (std::size_t strikes = 0; strikes < faults.kinds() || Clock::now() < until; ++strikes)
        faults.strike();

    workload.finish();
    sink.settle();
    const bool all_arrived = arrived(stage, ledger);
    EXPECT_TRUE(all_arrived) << "events wait and do not come; the daemon:\n"
                             << stage.daemon().err().substr(
                                    stage.daemon().err().size() -
                                    std::min<std::size_t>(stage.daemon().err().size(), 6000));
    stage.stop_daemon();

    const auto verdict = ordeal::judge(stage, ledger);
    std::cout << ordeal::report(verdict, ledger, seed);
    EXPECT_GT(verdict.committed, 1000U);
    EXPECT_TRUE(verdict.lost.empty()) << "lost:\n" << first_lines(verdict.lost);
    EXPECT_TRUE(verdict.phantoms.empty()) << "phantom:\n" << first_lines(verdict.phantoms);
    EXPECT_TRUE(verdict.disorders.empty()) << "out of order:\n" << first_lines(verdict.disorders);
    EXPECT_TRUE(verdict.duplicates.empty()) << "duplicates without cause:\n"
                                            << first_lines(verdict.duplicates);
    EXPECT_TRUE(verdict.wrong_in_table.empty()) << "the table and the writers disagree:\n"
                                                << first_lines(verdict.wrong_in_table);
    EXPECT_EQ(stage.complaints(), "");
}

} // namespace
} // namespace pgat
