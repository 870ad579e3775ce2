// The kafka sink's configuration as plain values. `properties` may hold secrets.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kafka/partitioner.hpp"
#include "pgat/sink.hpp"
#include "pgat/template.hpp"

namespace pgat::kafka {

// What becomes of an event that Kafka cannot take as it is.
enum class Refusal { reject, unavailable };

struct Header {
    std::string name;
    plugin::Template value;
};

// Of librdkafka, in the order in which they are set.
using Properties = std::vector<std::pair<std::string, std::string>>;

struct Settings {
    explicit Settings(plugin::Template to) : topic(std::move(to)) {}

    std::string brokers; // host:port, comma-separated; for messages too
    plugin::Template topic;
    std::optional<std::string> topic_default;
    std::optional<plugin::Template> key; // none: the event's own
    std::optional<std::string> key_default;
    std::vector<Header> headers;
    std::optional<std::string> header_default;
    std::string id_header = "id";
    std::chrono::milliseconds timeout{15000};
    Refusal on_too_large = Refusal::reject;
    Refusal on_unknown_topic = Refusal::reject;

    Properties properties; // ours, then the user's
    Partitioner partitioner{"murmur2_random"};
    std::vector<std::string> warnings; // guarantees that the properties give up
};

// Reads what has passed the schema. Throws Failure(PGAT_E_CONFIG) for what a schema cannot see.
Settings read_settings(const plugin::Host &host, std::string_view config);

} // namespace pgat::kafka
