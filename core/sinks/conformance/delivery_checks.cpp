// Whether events can be delivered, and which ones.
#include <algorithm>

#include <fmt/format.h>

#include "sinks/conformance/check.hpp"
#include "sinks/conformance/slate.hpp"

namespace pgat::conformance::checks {
namespace {

constexpr std::uint32_t usual_batch = 1000;
constexpr std::uint32_t largest_batch = 10000;
constexpr std::size_t huge = std::size_t{16} << 20;
constexpr std::chrono::seconds deadline{30};
constexpr std::chrono::seconds limit{40};
constexpr std::chrono::seconds late = std::chrono::seconds(1) + grace;

[[noreturn]] void unavailable(const Answer &answer) {
    skip(fmt::format("its receiver is not there: {}",
                     answer.reason.empty() ? answer.text() : answer.reason),
         {"start it, and say where it is with --config FILE"});
}

Finding publish_all(const Subject &subject, const std::vector<TrialEvent> &events,
                    std::uint32_t at_once, std::string_view what) {
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    sink.require();
    std::uint32_t rejected = 0;
    for (std::size_t first = 0; first < events.size(); first += at_once) {
        const std::size_t end = std::min(events.size(), first + at_once);
        const std::vector<TrialEvent> part(events.begin() + static_cast<std::ptrdiff_t>(first),
                                           events.begin() + static_cast<std::ptrdiff_t>(end));
        TrialBatch batch(part);
        const Answer answer = sink.publish(batch, what, deadline, limit);
        if (answer.status != PGAT_OK)
            fail(fmt::format("publish() of {} returned {}", what, answer.text()),
                 {"the receiver took one event before; one that it can never take is to be "
                  "rejected, or "
                  "it holds up all behind it"});
        for (const auto &verdict : sink.host().verdicts())
            rejected += verdict && *verdict != PGAT_DELIVERED ? 1U : 0U;
    }
    sink.destroy();
    if (rejected == 0) return {};
    return {Mark::ok,
            "",
            {fmt::format("{} of {} were not delivered: see that this is what the "
                         "receiver wants",
                         rejected, events.size())}};
}

} // namespace

Finding reaches_its_receiver(const Subject &subject) {
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    sink.require();
    if (!sink.has_probe()) {
        sink.destroy();
        return {Mark::ok, "", {"it has no probe(): the daemon tries with an event"}};
    }
    const Answer answer = sink.probe(std::chrono::seconds(10));
    sink.destroy();
    if (answer.status == PGAT_E_UNAVAILABLE || answer.status == PGAT_E_CANCELLED)
        unavailable(answer);
    if (answer.status != PGAT_OK) fail(fmt::format("probe() returned {}", answer.text()));
    return {};
}

Finding publishes_one_event(const Subject &subject) {
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    sink.require();
    TrialBatch batch(one_event());
    const Answer answer =
        sink.publish(batch, "one event", subject.deadline(), subject.deadline() + late,
                     "still runs 1 s after its deadline");
    // Before the next call, which has none.
    const auto verdict = sink.host().verdicts().front();
    const std::string message = sink.host().message();
    sink.destroy();
    if (answer.status == PGAT_E_UNAVAILABLE || answer.status == PGAT_E_CANCELLED)
        unavailable(answer);
    if (answer.status != PGAT_OK) fail(fmt::format("publish() returned {}", answer.text()));
    if (verdict && *verdict == PGAT_REJECTED)
        return {Mark::ok,
                fmt::format("the event was rejected: {}",
                            message.empty() ? "no message says why" : message),
                {"what follows shows less than it could. The kit's events are "
                 R"({"kind": "conformance", "data": {…}}: let placeholders lead into these, as )"
                 "{/kind} does"},
                true};
    if (verdict && *verdict == PGAT_RETRY)
        skip("the event is to be retried: its receiver does not take it");
    return {};
}

Finding publishes_many_events(const Subject &subject) {
    const std::uint32_t max = open(subject).plugin.max_batch;
    const std::uint32_t count = max == 0 ? usual_batch : std::min(max, largest_batch);
    return publish_all(subject, usual_events(count), count, fmt::format("{} events", count));
}

Finding publishes_huge_events(const Subject &subject) {
    return publish_all(subject, {event_of_size(huge)}, 1, "an event of 16 MB");
}

Finding publishes_odd_events(const Subject &subject) {
    const std::uint32_t max = open(subject).plugin.max_batch;
    const auto events = odd_events();
    const auto all = static_cast<std::uint32_t>(events.size());
    return publish_all(subject, events, max == 0 ? all : std::min(max, all), "odd events");
}

} // namespace pgat::conformance::checks
