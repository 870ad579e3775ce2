// Hosts of other versions: the first there was, and one of the future.
#include <fmt/format.h>

#include "sinks/conformance/check.hpp"

namespace pgat::conformance::checks {
namespace {

void live_with(const Subject &subject, HostShape host, BatchShape events) {
    const Opened &opened = open(subject);
    if (host == HostShape::first_release && opened.plugin.table->min_host_minor > 0)
        skip(fmt::format("it asks for a host of ABI {}.{} or later", PGAT_ABI_MAJOR,
                         opened.plugin.table->min_host_minor));
    TrialSink sink(opened.plugin.table, ObservedHost::make(host), opened.config);
    const Answer made = sink.create();
    if (made.status != PGAT_OK) fail(fmt::format("create() returned {}", made.text()));
    for (int round = 0; round < 2 && subject.may_publish; ++round) {
        TrialBatch batch(usual_events(10), events);
        const Answer answer = sink.publish(batch, "10 events", subject.deadline());
        if (subject.receiver_there && answer.status != PGAT_OK)
            fail(fmt::format("publish() returned {}", answer.text()));
    }
    if (sink.has_probe() && subject.may_probe) sink.probe(subject.deadline());
    sink.destroy();
}

} // namespace

Finding works_with_first_release(const Subject &subject) {
    live_with(subject, HostShape::first_release, BatchShape::ours);
    return {};
}

Finding works_with_future_host(const Subject &subject) {
    live_with(subject, HostShape::future, BatchShape::future);
    return {};
}

} // namespace pgat::conformance::checks
