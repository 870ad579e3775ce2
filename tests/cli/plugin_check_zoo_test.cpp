// Every rule that `plugins check` looks at can be seen to be broken: an animal of tests/abi/zoo/unruly for each.
#include "cli/fixture.hpp"

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include <nlohmann/json.hpp>

namespace pgat::cli {

namespace {

using Names = std::set<std::string>;

struct Animal {
    const char *type;
    const char *fails; // this check, and no other
};

constexpr Animal animals[] = {
    {"good", nullptr},
    {"exporting", "exports"},
    {"unbound", "loads"},
    {"exploding", "loads"},
    {"opening", "loads-quietly"},
    {"starting", "loads-quietly"},
    {"greeting", "loads-quietly"},
    {"fickle", "entry"},
    {"choosy", "entry"},
    {"misnamed", "type"},
    {"unversioned", "version"},
    {"undescribed", "description"},
    {"unlicensed", "license"},
    {"scheming", "schema"},
    {"misfitting", "schema"},
    {"pretending", "extension"},
    {"empty_handed", "sink"},
    {"wordless", "sink"},
    {"impatient", "sink"},
    {"waiting", "sink"},
    {"permissive", "bad-settings"},
    {"fragile", "odd-settings"},
    {"gossiping", "secrets"},
    {"blind", "receiver"},
    {"lonely", "receiver"}, // as delivery is required here
    {"crashing", "one-event"},
    {"aborting", "one-event"},
    {"exiting", "one-event"},
    {"throwing", "one-event"},
    {"stuck", "one-event"},
    {"overwhelmed", "many-events"},
    {"small", "huge-event"},
    {"prudish", "odd-events"},
    {"forgetful", "settles-all"},
    {"repeating", "settles-once"},
    {"overreaching", "settles-once"},
    {"mumbling", "reasons"},
    {"silent", "reasons"},
    {"sullen", "reasons"},
    {"patient", "reasons"},
    {"inventive", "statuses"},
    {"overreading", "bounds"},
    {"overcounting", "bounds"},
    {"clinging", "after-return"},
    {"late", "after-return"},
    {"nostalgic", "after-return"},
    {"leaking", "leaks-memory"},
    {"sloppy", "leaks-refused"},
    {"dropping", "leaks-files"},
    {"deaf", "cancelled-before"},
    {"stubborn", "cancelled-during"},
    {"dawdling", "deadline"},
    {"contemplative", "probe-deadline"},
    {"engrossed", "probe-deadline"},
    {"lingering", "destroy"},
    {"trapping", "signals"},
    {"unmasking", "signals"},
    {"open_handed", "process"},
    {"foreign", "process"},
    {"wandering", "process"},
    {"polluting", "process"},
    {"chatting", "output"},
    {"complaining", "output"},
    {"forking", "forks"},
    {"spawning", "forks"},
    {"rambling", "log-lines"},
    {"miscounting", "services"},
    {"thirsty", "services"},
    {"littering", "leaks-threads"},
    {"interruptible", "blocked-signals"},
    {"delegating", "right-thread"},
    {"haunting", "lifetime"},
    {"solitary", "two-sinks"},
    {"modern", "first-host"},
    {"suspicious", "future-host"},
};

// Tried on files as files, in plugin_check_test.cpp.
const Names without_an_animal = {"whole", "trusted"};

// Where the build counts memory and threads by other means.
bool needs_a_plain_build(const std::string &check) {
    return check == "leaks-memory" || check == "blocked-signals" || check == "leaks-refused";
}

class PluginCheckZoo : public CliTest {
  protected:
    struct Found {
        Names failed;
        Names skipped;
        Names all;
        std::string output;
    };

    Found check(const std::string &type) const {
        const auto finished = run({"plugins", "check", built("zoo-unruly/" + type + ".so"),
                                   "--json", "--require-delivery"});
        Found found;
        found.output = finished.out + finished.err;
        const auto json = nlohmann::json::parse(finished.out, nullptr, false);
        if (!json.is_object()) return found;
        for (const auto &check : json["checks"]) {
            found.all.insert(check["check"]);
            if (check["result"] == "failed") found.failed.insert(check["check"]);
            if (check["result"] == "skipped" && check["because_of"] == "")
                found.skipped.insert(check["check"]);
        }
        return found;
    }

    // All of them, several at a time: most of the time they wait.
    std::vector<Found> check_all() const {
        std::vector<Found> found(std::size(animals));
        std::atomic<std::size_t> next{0};
        std::vector<std::jthread> workers(4);
        for (auto &worker : workers)
            worker = std::jthread([&] {
                for (std::size_t i = next++; i < found.size(); i = next++)
                    found[i] = check(animals[i].type);
            });
        workers.clear();
        return found;
    }
};

TEST_F(PluginCheckZoo, FailsEachAnimalForWhatItDoesAndForNothingElse) {
    const auto found = check_all();
    Names seen = without_an_animal;
    for (std::size_t i = 0; i < found.size(); ++i) {
        Names expected;
        if (animals[i].fails != nullptr) expected.insert(animals[i].fails);
        if (animals[i].fails != nullptr && found[i].skipped.contains(animals[i].fails)) {
            EXPECT_TRUE(needs_a_plain_build(animals[i].fails)) << animals[i].type;
            expected.clear();
        }
        EXPECT_EQ(found[i].failed, expected) << animals[i].type << "\n" << found[i].output;
        if (animals[i].fails != nullptr) seen.insert(animals[i].fails);
    }
    EXPECT_EQ(seen, found.front().all) << "a check that no animal fails";
}

} // namespace

} // namespace pgat::cli
