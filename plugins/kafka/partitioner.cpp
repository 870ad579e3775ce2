#include "kafka/partitioner.hpp"

#include <array>

namespace pgat::kafka {

Partitioner::Partitioner(std::string_view name) noexcept {
    struct Known {
        std::string_view name;
        Function function;
        bool places_keyless;
    };
    // Those with "_random" differ from those without only in messages that have no key.
    constexpr std::array<Known, 6> known{{
        {"murmur2_random", &rd_kafka_msg_partitioner_murmur2, false},
        {"murmur2", &rd_kafka_msg_partitioner_murmur2, true},
        {"consistent_random", &rd_kafka_msg_partitioner_consistent, false},
        {"consistent", &rd_kafka_msg_partitioner_consistent, true},
        {"fnv1a_random", &rd_kafka_msg_partitioner_fnv1a, false},
        {"fnv1a", &rd_kafka_msg_partitioner_fnv1a, true},
    }};
    for (const Known &one : known) {
        if (one.name != name) continue;
        function_ = one.function;
        places_keyless_ = one.places_keyless;
    }
}

std::int32_t Partitioner::place(const rd_kafka_topic_t *topic, std::string_view key,
                                std::int32_t partitions) const noexcept {
    if (function_ == nullptr) return RD_KAFKA_PARTITION_UA;
    return function_(topic, key.empty() ? nullptr : key.data(), key.size(), partitions, nullptr,
                     nullptr);
}

} // namespace pgat::kafka
