// One publish(): from the batch to a verdict for each event.
//
// It goes in rounds. In a round events are handed to the producer as the order allows, until all are settled
// or a message fails. A failure stops the producer: no later message of that partition is stored. Once
// nothing is under way any more the next round begins with a new producer, and with the events that have no
// verdict yet, in their order.
//
// What is still under way when it has to end stays with the producer, see Flights.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/kafka_sink.hpp"
#include "kafka/meaning.hpp"
#include "kafka/message.hpp"
#include "kafka/order.hpp"
#include "pgat/sink.hpp"

namespace pgat::kafka {

class Delivery {
  public:
    Delivery(KafkaSink &sink, const plugin::Batch &batch, plugin::Outcomes &outcomes);
    ~Delivery();
    Delivery(const Delivery &) = delete;
    Delivery &operator=(const Delivery &) = delete;

    // Throws Failure if the brokers take nothing now, or when told to stop.
    void run();

  private:
    enum class State : std::uint8_t { open, settled, retried };
    enum class Step { went, must_wait };
    struct Blamed {
        std::uint32_t event;
        const rd_kafka_topic_t *topic;
        std::int32_t partition;
        rd_kafka_resp_err_t error;
    };

    void round();
    std::vector<Order::Place> rest();
    std::uint64_t lane_of(std::uint32_t event);
    Step start(std::uint32_t event);
    Step produce(std::uint32_t event, const Route &route);
    std::int32_t partition_of(const Route &route, Topics::Topic &topic);
    Step refused_at_once(std::uint32_t event, const Route &route, rd_kafka_resp_err_t error);
    void count_in(std::uint32_t event, Flight &flight);
    void adopt(Flight &flight, std::uint32_t event);
    void hear();
    void finish(Flight &flight);
    void judge_blamed();
    void make_fit_for_a_round();

    void deliver(std::uint32_t event);
    void reject(std::uint32_t event, const std::string &why);
    void unknown_topic(std::uint32_t event, const std::string &why);
    void too_large(std::uint32_t event, const std::string &why);
    void give_up(plugin::Failure why);

    bool told_to_stop();
    bool must_end();
    bool brokers_silent();
    void wait();

    KafkaSink &sink_;
    const plugin::Batch &batch_;
    plugin::Outcomes &outcomes_;
    Routes routes_;
    Headers headers_;
    std::vector<State> states_;
    std::vector<std::uint64_t> lanes_; // of those that may go, by event
    std::vector<Flight *> flights_;    // under way, by event
    std::optional<Order> order_;
    std::vector<Blamed> blamed_;
    std::uint32_t under_way_ = 0;
    std::uint32_t settled_ = 0; // have a verdict
    bool single_ = false;       // one message a request from now on: one of many was refused
    bool pausing_ = false;      // hand over no more in this round

    std::optional<plugin::Failure> trouble_; // the brokers take nothing now
    bool stopping_ = false;                  // we were told to
    plugin::TimePoint end_;
    plugin::TimePoint last_news_;
};

} // namespace pgat::kafka
