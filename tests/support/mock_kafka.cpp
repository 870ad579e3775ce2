#include "support/mock_kafka.hpp"

#include <array>
#include <stdexcept>

namespace pgat::support {

MockKafka::MockKafka(int brokers) {
    std::array<char, 512> why{};
    rd_kafka_conf_t *const conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, nullptr);
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size());
    if (handle_ == nullptr) throw std::runtime_error(why.data());
    cluster_ = rd_kafka_mock_cluster_new(handle_, brokers);
    if (cluster_ == nullptr) throw std::runtime_error("no mock cluster");
}

MockKafka::~MockKafka() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(handle_);
}

void MockKafka::create_topic(const std::string &name, int partitions, int replicas) {
    const auto error = rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, replicas);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(error));
}

void MockKafka::set_up(int broker, bool up) {
    if (up) {
        rd_kafka_mock_broker_set_up(cluster_, broker + 1);
    } else {
        rd_kafka_mock_broker_set_down(cluster_, broker + 1);
    }
}

void MockKafka::fail_with(const std::vector<rd_kafka_resp_err_t> &errors) {
    constexpr std::int16_t produce = 0; // the API's number in Kafka's protocol
    rd_kafka_mock_push_request_errors_array(cluster_, produce, errors.size(), errors.data());
}

} // namespace pgat::support
