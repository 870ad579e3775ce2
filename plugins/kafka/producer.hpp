// librdkafka's producer: its life, its descriptor to wait on, and its news as calls on our own thread.
//
// Its threads do the sending; they also write its log lines, at any time. Everything else is told inside
// poll() and wait().
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "kafka/settings.hpp"
#include "pgat/sink.hpp"

namespace pgat::kafka {

// Who is told. Nothing may be thrown.
class Listener {
  public:
    virtual ~Listener() = default;
    // What became of a message; `tag` is the one given to produce().
    virtual void on_report(void *tag, rd_kafka_resp_err_t error,
                           std::int32_t partition) noexcept = 0;
    virtual void on_error(rd_kafka_resp_err_t error, std::string_view text) noexcept = 0;
    virtual void on_statistics(std::string_view json) noexcept = 0;
};

struct TopicDeleter {
    void operator()(rd_kafka_topic_t *topic) const noexcept { rd_kafka_topic_destroy(topic); }
};
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, TopicDeleter>;

struct MetadataDeleter {
    void operator()(const rd_kafka_metadata_t *metadata) const noexcept {
        rd_kafka_metadata_destroy(metadata);
    }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, MetadataDeleter>;

class Producer {
  public:
    // How many messages of a partition may share a request.
    enum class Requests { of_many, of_one };

    // Several messages share a request as long as it is no larger than `request_bytes`; 0: than batch.size.
    // Waits for no broker. Throws Failure(PGAT_E_CONFIG) for a property that librdkafka refuses.
    Producer(const plugin::Host &host, const Properties &properties, Requests requests,
             std::size_t request_bytes, Listener &listener);
    // Drops what has not been confirmed.
    ~Producer();
    Producer(const Producer &) = delete;
    Producer &operator=(const Producer &) = delete;

    struct Message {
        rd_kafka_topic_t *topic;
        std::int32_t partition; // RD_KAFKA_PARTITION_UA: by key
        std::optional<std::string_view> key;
        std::string_view value;
        const std::vector<std::pair<std::string_view, std::string_view>>
            &headers; // names end in NUL
    };
    // Takes a copy. Anything but NO_ERROR: it was not taken, and there will be no report.
    rd_kafka_resp_err_t produce(const Message &message, void *tag) noexcept;

    // Tells the listener what there is to tell; returns at once.
    void poll() noexcept { rd_kafka_poll(handle_, 0); }
    // The same, but waits for the first of it, for `cancel_fd` (-1: none) to be readable, or for so long.
    void wait(int cancel_fd, std::chrono::milliseconds limit);

    TopicHandle topic(const std::string &name);
    // Asks some broker for what it knows of a topic, or of the cluster where `topic` is null.
    Metadata metadata(rd_kafka_topic_t *topic, std::chrono::milliseconds limit,
                      rd_kafka_resp_err_t &error) noexcept;

    // Why it will never send again, and must be made anew. Nothing: it is well.
    std::optional<std::string> fatal_error() const;
    // Where it has: reports messages that wait to be sent, and never will be.
    void give_back_if_stopped() noexcept;
    // Messages without a report.
    int unreported() const noexcept { return rd_kafka_outq_len(handle_); }
    // Drops them; each is reported as purged before this returns.
    void purge() noexcept;

  private:
    const pgat_host *host_; // for log lines
    Listener &listener_;
    rd_kafka_t *handle_ = nullptr;
    int bell_ = -1; // readable when there is something to tell
};

} // namespace pgat::kafka
