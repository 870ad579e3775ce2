// A sink that does what the test says, for what decides on the outcomes of calls.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sinks/sink.hpp"

namespace pgat::delivery {

using namespace std::chrono_literals;
using sinks::Status;
using sinks::Verdict;

// Answers call by call, and remembers what it was offered.
class ScriptedSink : public sinks::Sink {
  public:
    using Answer = std::function<void(std::span<const sinks::OutgoingEvent>, sinks::Outcomes &)>;

    std::vector<Answer> script;                    // after its end everything is delivered
    std::vector<std::vector<std::string>> offered; // ids, a call each
    std::vector<std::uint32_t> attempts;           // of the first event, a call each
    std::uint32_t limit = 0;

    std::uint32_t max_batch() const noexcept override { return limit; }
    void publish(std::span<const sinks::OutgoingEvent> events,
                 std::chrono::steady_clock::time_point, sinks::Outcomes &outcomes) override {
        auto &ids = offered.emplace_back();
        for (const auto &event : events)
            ids.emplace_back(event.id);
        attempts.push_back(events.front().attempt);
        outcomes.status = Status::ok;
        outcomes.reason.clear();
        outcomes.retry_after = 0ms;
        outcomes.reasons.clear();
        outcomes.verdicts.assign(events.size(), Verdict::not_attempted);
        if (offered.size() <= script.size())
            script[offered.size() - 1](events, outcomes);
        else
            outcomes.verdicts.assign(events.size(), Verdict::delivered);
    }
    std::vector<Status>
        probes; // answers to probe(), the last one for ever; none: it cannot be asked
    bool has_probe() const noexcept override { return !probes.empty(); }
    Status probe(std::chrono::steady_clock::time_point, std::string &reason,
                 std::chrono::milliseconds &) override {
        const auto answer = probes.front();
        if (probes.size() > 1) probes.erase(probes.begin());
        reason = "asked";
        return answer;
    }
    void cancel() noexcept override {}
};

inline ScriptedSink::Answer verdicts(std::vector<Verdict> given) {
    return [given](std::span<const sinks::OutgoingEvent>, sinks::Outcomes &outcomes) {
        outcomes.verdicts = given;
        for (std::uint32_t i = 0; i < given.size(); ++i)
            if (given[i] != Verdict::delivered) outcomes.reasons.push_back({i, "because", 0ms});
    };
}

inline ScriptedSink::Answer status(Status said, std::chrono::milliseconds retry_after = 0ms) {
    return [=](std::span<const sinks::OutgoingEvent>, sinks::Outcomes &outcomes) {
        outcomes.status = said;
        outcomes.reason = "the peer is away";
        outcomes.retry_after = retry_after;
    };
}

} // namespace pgat::delivery
