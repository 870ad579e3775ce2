// librdkafka's mock cluster, inside this program: for where Kafka itself cannot be had, and for errors that it cannot
// be made to give.
#pragma once

#include <string>
#include <vector>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

namespace pgat::support {

class MockKafka {
  public:
    explicit MockKafka(int brokers);
    ~MockKafka();
    MockKafka(const MockKafka &) = delete;
    MockKafka &operator=(const MockKafka &) = delete;

    std::string brokers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
    void create_topic(const std::string &name, int partitions, int replicas);
    // Brokers count from 0.
    void set_up(int broker, bool up);
    // The next requests to store messages fail so, one after the other.
    void fail_with(const std::vector<rd_kafka_resp_err_t> &errors);

  private:
    rd_kafka_t *handle_;
    rd_kafka_mock_cluster_t *cluster_;
};

} // namespace pgat::support
