// Messages in librdkafka's hands: from produce() until their report has been dealt with.
//
// A publish() that has to return before all is confirmed leaves its messages where they are: they are still
// sent, in their order, as soon as the brokers are back. The daemon then offers those events again, and they
// are known by their id and awaited, not sent twice.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <librdkafka/rdkafka.h>

namespace pgat::kafka {

// A partition as the producer has it. The brokers refuse a message behind one that they did not take only once
// they have taken some message of this producer, so the first one goes alone.
struct Partition {
    using Clock = std::chrono::steady_clock;

    Clock::time_point confirmed;  // some message, the last time
    bool first_under_way = false; // and nothing confirmed

    // After a while without messages the brokers may have forgotten the producer: a day by default.
    bool proven(Clock::time_point now) const noexcept {
        return confirmed != Clock::time_point() && now - confirmed < std::chrono::minutes(10);
    }
};

struct Flight {
    static constexpr std::uint32_t no_event = std::numeric_limits<std::uint32_t>::max();

    std::uint32_t event = no_event; // index in the batch that is being published; none: kept
    std::uint64_t lane = 0;
    const rd_kafka_topic_t *topic = nullptr; // to tell topics apart, not to follow
    std::int32_t partition = RD_KAFKA_PARTITION_UA;
    std::shared_ptr<Partition> place; // null: librdkafka has chosen it
    bool landed = false;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::string id; // of the event, while it is kept
};

class Flights {
  public:
    Flight &start();
    // Its report has come. Does not allocate.
    void land(Flight &flight, rd_kafka_resp_err_t error, std::int32_t partition) noexcept;
    // Those that landed since the last call, in the order of their reports.
    std::vector<Flight *> take_landed();
    void release(Flight &flight) noexcept;

    // Leaves it for a later publish(), under the event's id. Those that have landed are kept for a while, not
    // for ever: an event need not come back.
    void keep(Flight &flight, std::string_view id);
    // The one kept for this event, or null.
    Flight *kept(std::string_view id) noexcept;
    // It belongs to the event of this index from now on.
    void claim(Flight &flight, std::uint32_t event);
    bool any_kept() const noexcept { return !kept_.empty(); }

  private:
    void forget_some();

    std::vector<std::unique_ptr<Flight>> all_;
    std::vector<Flight *> free_;
    std::vector<Flight *> landed_;                        // has room for all of them
    std::unordered_map<std::string_view, Flight *> kept_; // the keys are the flights' own ids
};

} // namespace pgat::kafka
