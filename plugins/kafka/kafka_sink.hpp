// The kafka sink: hands events to librdkafka in the order that is allowed, and turns its reports into verdicts.
//
// What one publish() is about lives in its Delivery; what lasts from call to call (the producer, the topics
// it knows, the messages in its hands) lives here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kafka/flights.hpp"
#include "kafka/health.hpp"
#include "kafka/producer.hpp"
#include "kafka/settings.hpp"
#include "kafka/statistics.hpp"
#include "kafka/topics.hpp"
#include "pgat/sink.hpp"

namespace pgat::kafka {

struct Counters {
    explicit Counters(const plugin::Host &host);

    plugin::Counter messages;
    plugin::Counter message_bytes;
    plugin::Counter confirmed;
    plugin::Counter failed;
    plugin::Counter left_under_way;
    plugin::Counter awaited;
    plugin::Counter producers;
};

class KafkaSink : private Listener {
  public:
    KafkaSink(plugin::Host host, std::string_view config);
    ~KafkaSink() override = default;
    KafkaSink(const KafkaSink &) = delete;
    KafkaSink &operator=(const KafkaSink &) = delete;

    void publish(const plugin::Batch &batch, plugin::Outcomes &outcomes);
    // Asks a broker for the topic, or for the cluster where each event has its own.
    void probe(plugin::TimePoint deadline);

  private:
    friend class Delivery;

    struct Connection {
        Connection(const plugin::Host &host, const Properties &properties,
                   Producer::Requests how_many, std::size_t bytes, Listener &listener)
            : requests(how_many), producer(host, properties, how_many, bytes, listener),
              topics(producer) {}
        Producer::Requests requests;
        Producer producer;
        Topics topics; // after the producer: its handles go first
    };

    void on_report(void *tag, rd_kafka_resp_err_t error, std::int32_t partition) noexcept override;
    void on_error(rd_kafka_resp_err_t error, std::string_view text) noexcept override;
    void on_statistics(std::string_view json) noexcept override;

    // Drops the producer, with what it has not confirmed, and makes another one.
    void connect_anew(Producer::Requests requests);
    // A request was larger than this topic allows, though none of its messages may be.
    void send_smaller_requests(std::string_view topic);
    bool a_broker_answers(std::chrono::milliseconds limit);
    // Deals with reports on messages that no publish() waits for.
    void sort_kept(Flight &flight);
    plugin::Failure unavailable(const std::string &why) const;

    plugin::Host host_;
    Settings settings_;
    Counters counters_;
    Statistics statistics_;
    Health health_;
    Flights flights_;
    std::uint64_t publish_number_ = 0;
    std::size_t request_bytes_ = 0;        // 0: as batch.size has it
    std::optional<Connection> connection_; // last: it still reports while it goes
};

} // namespace pgat::kafka
