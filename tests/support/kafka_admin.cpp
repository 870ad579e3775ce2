#include "support/kafka_admin.hpp"

#include <array>
#include <functional>
#include <memory>
#include <stdexcept>

#include <librdkafka/rdkafka.h>

namespace pgat::support::kafka_admin {

namespace {

constexpr int patience_ms = 15000;

using Handle = std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)>;

Handle connect(const std::string &brokers) {
    rd_kafka_conf_t *const conf = rd_kafka_conf_new();
    std::array<char, 512> why{};
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers.c_str(), why.data(), why.size());
    rd_kafka_conf_set(conf, "allow.auto.create.topics", "false", why.data(), why.size());
    rd_kafka_conf_set_log_cb(conf, nullptr);
    rd_kafka_t *const made = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size());
    if (made == nullptr) throw std::runtime_error(why.data());
    return {made, &rd_kafka_destroy};
}

using Look = std::function<void(rd_kafka_event_t *)>;

// Runs one admin call: `ask` sends it, `look` reads its answer.
void call(const std::string &brokers,
          const std::function<void(rd_kafka_t *, rd_kafka_queue_t *)> &ask, const Look &look) {
    const Handle handle = connect(brokers);
    const std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)> queue(
        rd_kafka_queue_new(handle.get()), &rd_kafka_queue_destroy);
    ask(handle.get(), queue.get());
    const std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)> event(
        rd_kafka_queue_poll(queue.get(), patience_ms), &rd_kafka_event_destroy);
    if (!event) throw std::runtime_error("Kafka does not answer an admin call");
    if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
        throw std::runtime_error(rd_kafka_event_error_string(event.get()));
    look(event.get());
}

void check_topics(const rd_kafka_topic_result_t **results, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        if (rd_kafka_topic_result_error(results[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
            throw std::runtime_error(std::string("topic ") +
                                     rd_kafka_topic_result_name(results[i]) + ": " +
                                     rd_kafka_err2str(rd_kafka_topic_result_error(results[i])));
}

} // namespace

void create_topic(const std::string &brokers, const std::string &name, int partitions, int replicas,
                  const std::map<std::string, std::string> &settings) {
    std::array<char, 512> why{};
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(name.c_str(), partitions, replicas, why.data(), why.size());
    if (topic == nullptr) throw std::runtime_error(why.data());
    for (const auto &[setting, value] : settings)
        rd_kafka_NewTopic_set_config(topic, setting.c_str(), value.c_str());
    call(
        brokers,
        [&](rd_kafka_t *handle, rd_kafka_queue_t *queue) {
            rd_kafka_CreateTopics(handle, &topic, 1, nullptr, queue);
        },
        [](rd_kafka_event_t *event) {
            std::size_t count = 0;
            const auto *result = rd_kafka_event_CreateTopics_result(event);
            check_topics(rd_kafka_CreateTopics_result_topics(result, &count), count);
        });
    rd_kafka_NewTopic_destroy(topic);
}

void delete_topic(const std::string &brokers, const std::string &name) {
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name.c_str());
    call(
        brokers,
        [&](rd_kafka_t *handle, rd_kafka_queue_t *queue) {
            rd_kafka_DeleteTopics(handle, &topic, 1, nullptr, queue);
        },
        [](rd_kafka_event_t *event) {
            std::size_t count = 0;
            const auto *result = rd_kafka_event_DeleteTopics_result(event);
            check_topics(rd_kafka_DeleteTopics_result_topics(result, &count), count);
        });
    rd_kafka_DeleteTopic_destroy(topic);
}

void set(const std::string &brokers, const std::string &topic, const std::string &name,
         const std::string &value) {
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
    rd_kafka_ConfigResource_set_config(resource, name.c_str(), value.c_str());
    call(
        brokers,
        [&](rd_kafka_t *handle, rd_kafka_queue_t *queue) {
            rd_kafka_AlterConfigs(handle, &resource, 1, nullptr, queue);
        },
        [](rd_kafka_event_t *event) {
            std::size_t count = 0;
            const auto *result = rd_kafka_event_AlterConfigs_result(event);
            const auto **resources = rd_kafka_AlterConfigs_result_resources(result, &count);
            for (std::size_t i = 0; i < count; ++i)
                if (rd_kafka_ConfigResource_error(resources[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
                    throw std::runtime_error(rd_kafka_ConfigResource_error_string(resources[i]));
        });
    rd_kafka_ConfigResource_destroy(resource);
}

int leader(const std::string &brokers, const std::string &topic, int partition) {
    const Handle handle = connect(brokers);
    const std::unique_ptr<rd_kafka_topic_t, decltype(&rd_kafka_topic_destroy)> known(
        rd_kafka_topic_new(handle.get(), topic.c_str(), nullptr), &rd_kafka_topic_destroy);
    const rd_kafka_metadata_t *found = nullptr;
    if (rd_kafka_metadata(handle.get(), 0, known.get(), &found, 2000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    int leads = -1;
    for (int i = 0; found->topic_cnt == 1 && i < found->topics[0].partition_cnt; ++i)
        if (found->topics[0].partitions[i].id == partition)
            leads = found->topics[0].partitions[i].leader;
    rd_kafka_metadata_destroy(found);
    return leads;
}

bool answers(const std::string &brokers, int count) {
    const Handle handle = connect(brokers);
    const rd_kafka_metadata_t *found = nullptr;
    if (rd_kafka_metadata(handle.get(), 0, nullptr, &found, 1000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    const bool all = found->broker_cnt >= count;
    rd_kafka_metadata_destroy(found);
    return all;
}

} // namespace pgat::support::kafka_admin
