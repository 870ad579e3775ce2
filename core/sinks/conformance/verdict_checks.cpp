// What a publish() says: a verdict an event, a status for the whole, and why.
#include <functional>
#include <unordered_set>

#include <fmt/format.h>

#include "sinks/conformance/check.hpp"

namespace pgat::conformance::checks {
namespace {

using Heard = std::function<void(const char *function, const Answer &, const TrialBatch *)>;

// One sink, asked everything that a daemon asks: with time and without, one event and many, in health and after
// cancellation.
void talk(const Subject &subject, TrialSink &sink, const Heard &heard) {
    sink.require();
    if (subject.may_probe && sink.has_probe())
        heard("probe()", sink.probe(subject.deadline()), nullptr);
    if (subject.may_publish) {
        const auto publish = [&](std::vector<TrialEvent> events, std::string_view what,
                                 std::chrono::milliseconds within) {
            TrialBatch batch(events);
            heard("publish()", sink.publish(batch, what, within), &batch);
        };
        publish(one_event(), "one event", subject.deadline());
        publish(usual_events(100), "100 events", subject.deadline());
        publish(odd_events(), "odd events", subject.deadline());
        publish(usual_events(20), "20 events past their deadline",
                std::chrono::milliseconds(-1000));
        sink.host().cancel();
        publish(usual_events(20), "20 events after cancellation", subject.deadline());
    }
    sink.destroy();
}

[[noreturn]] void first_of(const std::vector<std::string> &violations) {
    fail(violations.front(), {violations.begin() + 1, violations.end()});
}

// Events that were left alone though nothing before them asks for it.
std::uint32_t forgotten(const TrialBatch &batch,
                        const std::vector<std::optional<pgat_verdict>> &verdicts) {
    std::unordered_set<std::string_view> waiting;
    bool barrier = false;
    std::uint32_t count = 0;
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        const std::string &key = batch.events()[i].key;
        const bool waits = barrier || (key.empty() ? !waiting.empty() : waiting.contains(key));
        if (!verdicts[i] && !waits) ++count;
        if (verdicts[i] && *verdicts[i] != PGAT_RETRY) continue;
        barrier = barrier || key.empty();
        waiting.insert(key);
    }
    return count;
}

} // namespace

Finding settles_every_event(const Subject &subject) {
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    talk(subject, sink, [&](const char *, const Answer &answer, const TrialBatch *batch) {
        if (batch == nullptr || answer.status != PGAT_OK) return;
        const std::uint32_t left = forgotten(*batch, sink.host().verdicts());
        if (left > 0)
            fail(
                fmt::format("publish() returned PGAT_OK without a verdict for {} of {} events",
                            left, batch->count()),
                {"settle() or delivered() each, or return the status that says why not; the daemon "
                 "takes it for PGAT_RETRY"});
    });
    return {};
}

Finding settles_once(const Subject &subject) {
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    talk(subject, sink, [](const char *, const Answer &, const TrialBatch *) {});
    for (const Rule rule : {Rule::verdict, Rule::foreign})
        if (const auto found = sink.host().violations(rule); !found.empty()) first_of(found);
    return {};
}

Finding says_why_not(const Subject &subject) {
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    talk(subject, sink, [](const char *function, const Answer &answer, const TrialBatch *) {
        if (answer.status != PGAT_OK && (!answer.reasoned || answer.reason.empty()))
            fail(
                fmt::format("{} returned {} and gave no reason", function,
                            status_name(answer.status)),
                {"call host->fail() before returning anything but PGAT_OK: it is what the operator "
                 "reads"});
        if (answer.status == PGAT_OK && answer.reasoned)
            fail(fmt::format("{} called host->fail() and returned PGAT_OK: {}", function,
                             answer.reason),
                 {"the daemon takes that for PGAT_E_BROKEN"});
    });
    if (const auto found = sink.host().violations(Rule::text); !found.empty()) first_of(found);
    return {};
}

Finding statuses_are_true(const Subject &subject) {
    const Opened &opened = open(subject);
    TrialSink sink(opened.plugin.table, ObservedHost::make(), opened.config);
    talk(subject, sink, [](const char *function, const Answer &answer, const TrialBatch *) {
        if (answer.status < PGAT_OK || answer.status > PGAT_E_UNSUPPORTED)
            fail(fmt::format("{} returned {}, which is no status", function, answer.status));
        if (answer.status == PGAT_E_CONFIG || answer.status == PGAT_E_UNSUPPORTED)
            fail(fmt::format("{} returned {}, which only create() may", function,
                             status_name(answer.status)),
                 {"the daemon takes it for PGAT_E_BROKEN"});
    });
    return {};
}

} // namespace pgat::conformance::checks
