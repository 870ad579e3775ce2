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

// Whether the last publish() had to leave events where they were.
bool broken_off(const Answer &answer, TrialSink &sink) {
    return answer.status == PGAT_E_CANCELLED ||
           (answer.status == PGAT_OK && sink.host().left_any());
}

// What ended by itself keeps any limit.
Finding kept(bool was_tried) {
    if (was_tried) return {};
    return {Mark::ok,
            "",
            {"nothing was under way: shows little. Try it against a receiver that accepts and "
             "stays silent, see docs/plugins-check.md"}};
}

} // namespace

Finding returns_when_cancelled_before(const Subject &subject) {
    require_publish(subject);
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    sink.require();
    sink.host().cancel();
    TrialBatch batch(usual_events(100));
    const Answer answer =
        sink.publish(batch, "100 events", seconds(30), late, "still runs 1 s after cancellation");
    const bool tried = broken_off(answer, sink);
    sink.destroy();
    return kept(tried);
}

Finding returns_when_cancelled_during(const Subject &subject) {
    require_publish(subject);
    const Opened &opened = open(subject);
    bool tried = false;
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
            const Answer answer = sink.publish(batch, "events", seconds(30), after + late,
                                               "still runs 1 s after cancellation");
            tried = tried || broken_off(answer, sink);
        }
        canceller.join();
        sink.destroy();
    }
    return kept(tried);
}

Finding returns_after_deadline(const Subject &subject) {
    require_publish(subject);
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    sink.require();
    bool tried = false;
    for (const milliseconds within : {milliseconds(-1000), milliseconds(1), milliseconds(100)}) {
        TrialBatch batch(usual_events(most_at_once(opened)));
        const Answer answer = sink.publish(
            batch,
            within.count() < 0 ? std::string("events past their deadline")
                               : fmt::format("events with a deadline in {} ms", within.count()),
            within, std::max(within, milliseconds(0)) + late, "still runs 1 s after the deadline");
        tried = tried || (within.count() > 0 && broken_off(answer, sink));
    }
    sink.destroy();
    return kept(tried);
}

Finding probe_keeps_its_deadline(const Subject &subject) {
    if (!subject.may_probe) skip("as \"receiver\" failed");
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    sink.require();
    if (!sink.has_probe()) skip("it has no probe()");
    bool tried = false;
    for (const milliseconds within : {milliseconds(300), milliseconds(1), milliseconds(-1000)}) {
        const Answer answer = sink.probe(within, std::max(within, milliseconds(0)) + late,
                                         "still runs 1 s after its deadline");
        tried = tried || (within.count() > 0 && answer.status != PGAT_OK && answer.took >= within);
    }
    sink.host().cancel();
    sink.probe(seconds(30), late, "still runs 1 s after cancellation");
    sink.destroy();
    return kept(tried);
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
    const Answer answer = sink.publish(batch, "events with a deadline in 5 ms", milliseconds(5));
    const bool tried = broken_off(answer, sink);
    destroy(sink);
    return kept(tried);
}

} // namespace pgat::conformance::checks
