// What Kafka's error codes say: about the event, its topic, or the cluster.
#pragma once

#include <string>

#include <librdkafka/rdkafka.h>

namespace pgat::kafka {

enum class Meaning {
    delivered,
    not_taken,     // it was given back, and may be handed over again at once
    too_large,     // for us, or for the topic
    unknown_topic, // it does not exist, or is none
    refused,       // the broker will never take this record
    failed,        // an error that we know nothing of: it may work later
    unavailable,   // the brokers take nothing now, or nothing from us
};

Meaning meaning_of(rd_kafka_resp_err_t error) noexcept;

// Whether the error may be about another message of the same request.
bool blames_one_of_many(Meaning meaning) noexcept;

// "NOT_ENOUGH_REPLICAS: Broker: Not enough in-sync replicas".
std::string text_of(rd_kafka_resp_err_t error);

} // namespace pgat::kafka
