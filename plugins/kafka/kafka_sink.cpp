#include "kafka/kafka_sink.hpp"

#include <algorithm>
#include <chrono>

#include "kafka/delivery.hpp"
#include "kafka/meaning.hpp"
#include "kafka/properties.hpp"

namespace pgat::kafka {

namespace {

using plugin::Failure;
using plugin::Host;
using plugin::TimePoint;
using std::chrono::milliseconds;

} // namespace

Counters::Counters(const Host &host)
    : messages(host.counter("messages_total", "Messages handed to librdkafka")),
      message_bytes(host.counter("message_bytes_total", "Bytes of payload of these messages")),
      confirmed(host.counter("confirmed_total", "Messages that the brokers confirmed")),
      failed(host.counter("failed_total", "Messages that came back with an error")),
      left_under_way(host.counter("left_under_way_total",
                                  "Messages left with librdkafka by a call that had to end")),
      awaited(host.counter("awaited_total",
                           "Messages of an earlier call that were awaited instead of sent again")),
      producers(host.counter("producers_total", "Producers made")) {}

KafkaSink::KafkaSink(Host host, std::string_view config)
    : host_(host), settings_(read_settings(host, config)), counters_(host), statistics_(host) {
    for (const std::string &warning : settings_.warnings)
        host_.warn(warning);
    connect_anew(Producer::Requests::of_many);
}

void KafkaSink::publish(const plugin::Batch &batch, plugin::Outcomes &outcomes) {
    ++publish_number_;
    Delivery(*this, batch, outcomes).run();
}

void KafkaSink::probe(TimePoint deadline) {
    Producer &producer = connection_->producer;
    const auto stop = [&] {
        return host_.cancelled() || health_.hopeless() ||
               std::chrono::steady_clock::now() >= deadline;
    };
    const auto limit = [&] {
        const auto left =
            std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
        return std::clamp(left, milliseconds::zero(), settings_.timeout);
    };
    producer.poll();
    for (Flight *flight : flights_.take_landed())
        sort_kept(*flight);
    // Whether the brokers are back is not told: only an answer shows it.
    bool answered = false;
    do {
        answered = a_broker_answers(std::clamp(limit(), milliseconds(1), milliseconds(500)));
        producer.poll();
    } while (!answered && !stop());
    if (host_.cancelled()) throw Failure(PGAT_E_CANCELLED, "stopped while asking for a broker");
    if (!answered) throw unavailable("no broker can be reached");
    if (!settings_.topic.constant() || settings_.on_unknown_topic == Refusal::reject) return;
    connection_->topics.forget(settings_.topic.prefix());
    const Topics::Found found = connection_->topics.find(settings_.topic.prefix(), limit(), stop);
    if (host_.cancelled()) throw Failure(PGAT_E_CANCELLED, "stopped while asking for the topic");
    if (found.answer == Topics::Answer::stopped) throw unavailable("no broker answers in time");
    if (found.answer == Topics::Answer::unknown || found.answer == Topics::Answer::unreachable)
        throw Failure(PGAT_E_UNAVAILABLE, settings_.brokers + ": " + found.why);
}

void KafkaSink::on_report(void *tag, rd_kafka_resp_err_t error, std::int32_t partition) noexcept {
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        health_.heard();
        counters_.confirmed.add();
    } else {
        counters_.failed.add();
    }
    flights_.land(*static_cast<Flight *>(tag), error, partition);
}

void KafkaSink::on_error(rd_kafka_resp_err_t error, std::string_view text) noexcept {
    try {
        // The others are among librdkafka's log lines.
        if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !health_.all_down())
            host_.warn(settings_.brokers + ": all brokers are down");
        health_.error(error, text);
    } catch (...) { // out of memory: the text is lost
    }
}

void KafkaSink::on_statistics(std::string_view json) noexcept {
    try {
        statistics_.read(json);
    } catch (...) { // out of memory: the next ones make up for it
    }
}

void KafkaSink::connect_anew(Producer::Requests requests) {
    connection_.reset();
    for (Flight *flight : flights_.take_landed())
        sort_kept(*flight);
    statistics_.start_over();
    connection_.emplace(host_, settings_.properties, requests, request_bytes_,
                        static_cast<Listener &>(*this));
    counters_.producers.add();
}

void KafkaSink::send_smaller_requests(std::string_view topic) {
    constexpr std::size_t smallest = 16384;
    if (request_bytes_ == 0) {
        const std::string given(value_of(settings_.properties, "batch.size"));
        request_bytes_ = given.empty() ? 1000000 : std::stoul(given);
    }
    request_bytes_ = std::max(smallest, request_bytes_ / 4);
    host_.warn(
        "topic " + std::string(topic) + " takes smaller requests than properties.batch.size " +
        "allows: from now on at most " + std::to_string(request_bytes_) +
        " bytes; set properties.batch.size and properties.message.max.bytes to the topic's " +
        "max.message.bytes");
}

bool KafkaSink::a_broker_answers(milliseconds limit) {
    rd_kafka_resp_err_t error{};
    if (!connection_->producer.metadata(nullptr, limit, error)) return false;
    health_.heard();
    return true;
}

void KafkaSink::sort_kept(Flight &flight) {
    // One that failed is sent when its event comes again, as if it had never been.
    if (flight.id.empty() || flight.error != RD_KAFKA_RESP_ERR_NO_ERROR) flights_.release(flight);
}

Failure KafkaSink::unavailable(const std::string &why) const {
    std::string text = settings_.brokers + ": " + why;
    if (!health_.last_error().empty()) text += ": " + health_.last_error();
    return Failure(PGAT_E_UNAVAILABLE, text);
}

} // namespace pgat::kafka
