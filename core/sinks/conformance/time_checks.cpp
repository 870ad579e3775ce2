// Returning in time: after cancellation, at a deadline, at the end.
//
// What is promised within a second is given `grace` more, as the machine may be busy.
#include <thread>

#include <fmt/format.h>

#include "sinks/conformance/check.hpp"
#include "sinks/conformance/slate.hpp"

namespace pgat::conformance::checks {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds promised{1};
constexpr milliseconds late = promised + grace;

std::uint32_t most_at_once(const Opened &opened) {
    const std::uint32_t max = opened.plugin.max_batch;
    return max == 0 || max > 1000 ? 1000 : max;
}

void require_publish(const Subject &subject) {
    if (!subject.may_publish) skip("as \"one-event\" failed");
}

} // namespace

Finding returns_when_cancelled_before(const Subject &subject) {
    require_publish(subject);
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    sink.require();
    sink.host().cancel();
    TrialBatch batch(usual_events(100));
    sink.publish(batch, "100 events", seconds(30), late, "still runs 1 s after cancellation");
    sink.destroy();
    return {};
}

Finding returns_when_cancelled_during(const Subject &subject) {
    require_publish(subject);
    const Opened &opened = open(subject);
    for (const milliseconds after : {milliseconds(0), milliseconds(5), milliseconds(60)}) {
        TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
        sink.require();
        ObservedHost &host = sink.host();
        const auto begin = std::chrono::steady_clock::now();
        std::thread canceller([&host, after] {
            std::this_thread::sleep_for(after);
            host.cancel();
        });
        // One after the other until it comes: a fast sink is in the middle of one then.
        while (std::chrono::steady_clock::now() - begin <= after) {
            TrialBatch batch(usual_events(most_at_once(opened)));
            sink.publish(batch, "events", seconds(30), after + late,
                         "still runs 1 s after cancellation");
        }
        canceller.join();
        sink.destroy();
    }
    return {};
}

Finding returns_after_deadline(const Subject &subject) {
    require_publish(subject);
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    sink.require();
    for (const milliseconds within : {milliseconds(-1000), milliseconds(1), milliseconds(100)}) {
        TrialBatch batch(usual_events(most_at_once(opened)));
        sink.publish(
            batch,
            within.count() < 0 ? std::string("events past their deadline")
                               : fmt::format("events with a deadline in {} ms", within.count()),
            within, std::max(within, milliseconds(0)) + late, "still runs 1 s after the deadline");
    }
    sink.destroy();
    return {};
}

Finding probe_keeps_its_deadline(const Subject &subject) {
    if (!subject.may_probe) skip("as \"receiver\" failed");
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    sink.require();
    if (!sink.has_probe()) skip("it has no probe()");
    for (const milliseconds within : {milliseconds(300), milliseconds(1), milliseconds(-1000)})
        sink.probe(within, std::max(within, milliseconds(0)) + late,
                   "still runs 1 s after its deadline");
    sink.host().cancel();
    sink.probe(seconds(30), late, "still runs 1 s after cancellation");
    sink.destroy();
    return {};
}

Finding is_destroyed_in_time(const Subject &subject) {
    const Opened &opened = open(subject);
    const auto destroy = [&](TrialSink &sink) {
        sink.destroy(late, "still runs after 1 s: drop what is in flight, the daemon keeps it");
    };
    {
        TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
        sink.require();
        destroy(sink);
    }
    if (!subject.may_publish) return {};
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    sink.require();
    // A deadline that ends it in the middle leaves something in flight, if the sink ever does.
    TrialBatch batch(usual_events(most_at_once(opened)));
    sink.publish(batch, "events with a deadline in 5 ms", milliseconds(5));
    destroy(sink);
    return {};
}

} // namespace pgat::conformance::checks
