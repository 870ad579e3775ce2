// One publish(): from the batch to a verdict for each event. Lives for the length of that call; what is
// still in flight when it ends is broken off.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/answer.hpp"
#include "http/exchange.hpp"
#include "http/http_sink.hpp"
#include "http/schedule.hpp"
#include "pgat/sink.hpp"

namespace pgat::http {

class Delivery {
  public:
    Delivery(HttpSink &sink, const plugin::Batch &batch, plugin::Outcomes &outcomes);
    ~Delivery();
    Delivery(const Delivery &) = delete;
    Delivery &operator=(const Delivery &) = delete;

    // Returns when no event is left to send; throws Failure if the endpoint takes none now, or when told
    // to stop. Verdicts are given as they become known.
    void run();

  private:
    struct Slot {
        Exchange *exchange;
        Schedule::Request request;
    };

    void start_all();
    bool start(Slot &slot);
    void reject(std::uint32_t event, const std::string &why);
    void finish(Slot &slot, CURLcode code);
    void settle_delivered(const std::vector<std::uint32_t> &events);
    Meaning judge(const Answer &answer, std::string &why) const;
    void look_for_a_stop();
    std::chrono::milliseconds patience() const;

    HttpSink &sink_;
    const plugin::Batch &batch_;
    plugin::Outcomes &outcomes_;
    const bool one_target_;
    Schedule schedule_;
    std::vector<Slot> slots_;
    std::vector<Slot *> idle_;
    Target target_;
    std::string timestamp_;
    std::string signature_;

    std::optional<plugin::Failure> trouble_; // the endpoint takes nothing now: start no more
    bool stopping_ = false;                  // we were told to: start no more
    plugin::TimePoint give_up_;
};

} // namespace pgat::http
