// Which partition a message with a key goes to. It is worked out here, by librdkafka's own functions, so that the
// sink knows it before the message is sent.
#pragma once

#include <cstdint>
#include <string_view>

#include <librdkafka/rdkafka.h>

namespace pgat::kafka {

class Partitioner {
  public:
    // `name` as librdkafka's property has it.
    explicit Partitioner(std::string_view name) noexcept;

    // RD_KAFKA_PARTITION_UA: librdkafka is to choose. An empty key is none.
    std::int32_t place(const rd_kafka_topic_t *topic, std::string_view key,
                       std::int32_t partitions) const noexcept;
    // Whether messages without a key all go to one partition.
    bool places_keyless() const noexcept { return places_keyless_; }

  private:
    using Function = std::int32_t (*)(const rd_kafka_topic_t *, const void *, std::size_t,
                                      std::int32_t, void *, void *);
    Function function_ = nullptr;
    bool places_keyless_ = false;
};

} // namespace pgat::kafka
