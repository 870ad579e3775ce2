// The daemon's process ends at every named point, as by a crash between two of its steps; the next daemon
// delivers what the row of the stream does not hold, all of it and nothing else.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

#include "fault_points/cases.hpp"
#include "fault_points/trial.hpp"

namespace pgat {
namespace {

namespace fs = std::filesystem;
using fault_points::Case;
using fault_points::During;
using fault_points::Trial;

// They mostly wait: several at a time on one server.
constexpr std::size_t at_once = 6;

void try_all(During during) {
#ifndef PGAT_FAULT_POINTS
    GTEST_SKIP() << "built without PGAT_FAULT_POINTS";
#endif
    std::vector<Case> cases;
    for (const auto &one : fault_points::cases)
        if (one.during == during) cases.push_back(one);
    std::vector<std::string> complaints(cases.size());
    support::Cluster &cluster = support::Cluster::shared();
    std::mutex making;
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < std::min(at_once, cases.size()); ++i)
        threads.emplace_back([&] {
            for (std::size_t one = next++; one < cases.size(); one = next++)
                try {
                    complaints[one] = Trial(cluster, making, cases[one]).run();
                } catch (const std::exception &error) {
                    complaints[one] = std::string(cases[one].point) + ": " + error.what();
                }
        });
    for (auto &thread : threads)
        thread.join();
    for (const auto &complaint : complaints)
        EXPECT_EQ(complaint, "");
}

TEST(ACrash, DuringTheFirstStartLosesNothing) { try_all(During::first_start); }
TEST(ACrash, WhileTheSlotIsMadeLosesNothing) { try_all(During::slot_creation); }
TEST(ACrash, WhileStreamingLosesNothing) { try_all(During::streaming); }
TEST(ACrash, DuringACleanStopLosesNothing) { try_all(During::stop); }
TEST(ACrash, WhileTheSlotIsReplacedLosesNothing) { try_all(During::replacement); }
TEST(ACrash, BesideADeadLetterLosesNothing) { try_all(During::dead_letter); }
TEST(ACrash, WhileTheSinkGoesDownAndComesBackLosesNothing) { try_all(During::outage); }
TEST(ACrash, WhilePartitionsComeAndGoLosesNothing) { try_all(During::housekeeping); }

// The names that core/ calls fault_point with.
std::set<std::string> names_in_sources() {
    const char *const folder = std::getenv("PGAT_SOURCE_DIR"); // NOLINT(concurrency-mt-unsafe)
    constexpr std::string_view call = "fault_point(\"";
    std::set<std::string> names;
    for (const auto &entry :
         fs::recursive_directory_iterator(fs::path(folder == nullptr ? "." : folder) / "core")) {
        if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
        if (entry.path().stem() == "fault_point") continue;
        std::ifstream file(entry.path());
        const std::string text(std::istreambuf_iterator<char>(file), {});
        for (auto at = text.find(call); at != text.npos; at = text.find(call, at)) {
            at += call.size();
            names.insert(text.substr(at, text.find('"', at) - at));
        }
    }
    return names;
}

TEST(FaultPoints, AreAllTried) {
    std::set<std::string> tried(fault_points::in_commands.begin(), fault_points::in_commands.end());
    tried.insert(fault_points::after_a_crash.begin(), fault_points::after_a_crash.end());
    for (const auto &one : fault_points::cases)
        tried.insert(one.point);
    EXPECT_EQ(names_in_sources(), tried) << "tests/system/fault_points/cases.hpp lists them";
}

} // namespace
} // namespace pgat
