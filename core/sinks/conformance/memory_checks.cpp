// Whose memory is touched, and what is left behind.
#include <malloc.h>

#include <fmt/format.h>

#include "sinks/conformance/check.hpp"
#include "sinks/conformance/slate.hpp"
#include "sinks/conformance/surroundings.hpp"
#include "sinks/conformance/trial_settings.hpp"

namespace pgat::conformance::checks {
namespace {

using std::chrono::steady_clock;

constexpr int lives = 100;
constexpr std::chrono::seconds enough{6}; // for sinks that take long to make
constexpr int fewest_lives = 10;

// Makes and destroys sinks, `lives` of them or as many as there is time for. Returns how many. The first of
// them delivers, if there is a receiver.
int live_and_die(const Subject &subject, const Opened &opened, ObservedHost &host, bool deliver) {
    const auto begin = steady_clock::now();
    int count = 0;
    for (; count < lives; ++count) {
        if (count >= fewest_lives && steady_clock::now() - begin > enough) break;
        TrialSink sink(opened.plugin.table, host, opened.config);
        sink.require();
        if (deliver && count < 3 && subject.receiver_there) {
            TrialBatch batch(usual_events(20));
            sink.publish(batch, "20 events", subject.deadline());
        }
        sink.destroy();
    }
    return count;
}

std::size_t allocated() {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

} // namespace

Finding reads_within_bounds(const Subject &subject) {
    const Opened &opened = open(subject);
    const GuardedMemory config(opened.config, "beyond the end of the configuration", "");
    TrialSink sink(opened.plugin.table, ObservedHost::make(), config.text());
    sink.require();
    for (std::uint32_t size : {1U, 7U, 20U}) {
        TrialBatch batch(usual_events(size), BatchShape::guarded);
        sink.publish(batch, size == 1 ? "one event" : fmt::format("{} events", size),
                     subject.deadline());
    }
    sink.destroy();
    return {};
}

Finding forgets_after_return(const Subject &subject) {
    const Opened &opened = open(subject);
    const GuardedMemory config(opened.config + std::string(64, '\0'), "behind the configuration",
                               "of the configuration after create() returned");
    TrialSink sink(opened.plugin.table, ObservedHost::make(HostShape::forgetful),
                   config.text().substr(0, opened.config.size()));
    sink.require();
    config.seal();
    for (int round = 0; round < 3; ++round) {
        TrialBatch batch(usual_events(8), BatchShape::sealed);
        sink.publish(batch, "8 events", subject.deadline());
        batch.seal();
        if (sink.has_probe()) sink.probe(subject.deadline());
    }
    sink.destroy();
    return {};
}

// What a client library allocates once is no leak: the second hundred must not grow as the first did.
Finding leaves_no_memory(const Subject &subject) {
    if (sanitized) skip("this build counts memory by other means: its sanitizer");
    const Opened &opened = open(subject);
    ObservedHost &host = ObservedHost::make();
    live_and_die(subject, opened, host, true);
    std::size_t least = SIZE_MAX;
    int count = 0;
    for (int window = 0; window < 2; ++window) {
        const std::size_t before = allocated();
        count = live_and_die(subject, opened, host, false);
        const std::size_t after = allocated();
        least = std::min(least, after > before ? after - before : 0);
    }
    const std::size_t each = least / static_cast<std::size_t>(count);
    if (each >= 8)
        fail(
            fmt::format("{} bytes stay allocated of each sink, after create() and destroy()", each),
            {"valgrind or -fsanitize=address on a test of yours shows whose"});
    return {};
}

// An author tries what works; what create() made before it saw that it will not is easily forgotten.
Finding leaves_nothing_of_refused(const Subject &subject) {
    if (sanitized) skip("this build counts memory by other means: its sanitizer");
    const Opened &opened = open(subject);
    ObservedHost &host = ObservedHost::make();
    leave_for_nowhere();
    constexpr int times = 30;
    bool refused = false;
    for (const TrialSettings &odd : odd_settings(opened.plugin.schema, opened.settings)) {
        const std::string config = odd.settings.dump();
        const auto refusals = [&](int count) {
            for (int i = 0; i < count; ++i) {
                TrialSink sink(opened.plugin.table, host, config);
                const bool made = sink.create().status == PGAT_OK;
                sink.destroy();
                if (made) return false;
            }
            return true;
        };
        if (!refusals(2)) continue;
        refused = true;
        const std::size_t files = open_files().size();
        const std::size_t running = threads().size();
        std::size_t least = SIZE_MAX;
        for (int window = 0; window < 2; ++window) {
            const std::size_t before = allocated();
            refusals(times);
            const std::size_t after = allocated();
            least = std::min(least, after > before ? after - before : 0);
        }
        const auto found = [&](std::string what) {
            fail(fmt::format("after create() refused {}, {} of it is left", odd.what, what),
                 {"with any status but PGAT_OK nothing is left to destroy"});
        };
        if (least / times >= 8) found(fmt::format("{} bytes", least / times));
        if (open_files().size() >= files + 2 * times) found("a descriptor");
        if (threads().size() >= running + 2 * times) found("a thread");
    }
    if (!refused) skip("create() refuses no settings that fit its schema, as far as tried");
    return {};
}

Finding leaves_no_file_open(const Subject &subject) {
    const Opened &opened = open(subject);
    ObservedHost &host = ObservedHost::make();
    live_and_die(subject, opened, host, true); // a library may keep something for good
    const auto before = open_files();
    const int count = live_and_die(subject, opened, host, true);
    const auto after = open_files();
    if (after.size() <= before.size()) return {};
    std::string example;
    for (const auto &[fd, what] : after)
        if (!before.contains(fd)) example = what;
    fail(fmt::format("after {} sinks made and destroyed {} descriptors are left open, as of {}",
                     count, after.size() - before.size(), example));
}

} // namespace pgat::conformance::checks
