// Events that a kafka sink is to deliver while something happens to its brokers.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "plugins/sink_under_test.hpp"

namespace pgat::test {

inline std::string seven_keys(std::size_t i) { return "key-" + std::to_string(i % 7); }

// Batches of 100, as the daemon gives them: what has no verdict comes again, in its order, before all else.
class Workload {
  public:
    Workload(SinkUnderTest &sink, std::size_t total) : sink_(sink) {
        open_ = all_.fill(total, seven_keys).list();
    }

    // Until everything is delivered. How many calls said that the brokers are unavailable; -1: it never ended.
    int deliver(std::chrono::seconds limit = std::chrono::seconds(60)) {
        const auto end = Clock::now() + limit;
        int failures = 0;
        while (!open_.empty() && Clock::now() < end) {
            const std::size_t count = std::min<std::size_t>(100, open_.size());
            Outcomes outcomes;
            sink_.sink().publish({open_.data(), count}, Clock::now() + std::chrono::seconds(30),
                                 outcomes);
            if (outcomes.status != Status::ok) {
                ++failures;
                last_reason = outcomes.reason;
            }
            std::vector<sinks::OutgoingEvent> rest;
            for (std::size_t i = 0; i < open_.size(); ++i)
                if (i >= count || outcomes.verdicts[i] != Verdict::delivered)
                    rest.push_back(open_[i]);
            delivered_ += open_.size() - rest.size();
            open_ = std::move(rest);
        }
        return open_.empty() ? failures : -1;
    }
    std::size_t delivered() const { return delivered_; }

    std::string last_reason;

  private:
    SinkUnderTest &sink_;
    Events all_;
    std::vector<sinks::OutgoingEvent> open_;
    std::atomic<std::size_t> delivered_{0};
};

} // namespace pgat::test
