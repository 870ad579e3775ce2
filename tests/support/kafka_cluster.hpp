// Kafka's own brokers, started by Java for the test: one or several, on free ports, in folders of their own,
// gone with the object. Topics are made and read back by other clients than the sink's producer.
//
// Where the broker's jars cannot be had it is librdkafka's mock cluster inside the test program, which says so on
// standard error; what a mock cannot do is then skipped. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/certificate.hpp"
#include "support/process.hpp"
#include "support/proxy.hpp"
#include "support/temporary_folder.hpp"

namespace pgat::support {

class MockKafka;

// As a consumer sees it.
struct KafkaRecord {
    int partition = 0;
    std::int64_t offset = 0;
    std::optional<std::string> key;
    std::string headers; // "name=value,name=value"
    std::string value;
};

class KafkaCluster {
  public:
    using Settings = std::map<std::string, std::string>;
    struct Options {
        int brokers = 1;
        bool proxied = false; // what clients are told of the brokers leads through proxies
        const Certificate *certificate = nullptr; // a further listener with TLS
        std::string sasl_password; // a further listener where user "app" has this password
        Settings settings;         // of the brokers
    };

    KafkaCluster() : KafkaCluster(Options{}) {}
    explicit KafkaCluster(const Options &options);
    ~KafkaCluster();
    KafkaCluster(const KafkaCluster &) = delete;
    KafkaCluster &operator=(const KafkaCluster &) = delete;

    // Whether it is Kafka itself, and not the mock.
    static bool real();

    // What clients connect to: host:port, comma-separated.
    std::string brokers() const;
    std::string tls_brokers() const;
    std::string sasl_brokers() const;
    Proxy &proxy(int broker = 0) { return *brokers_.at(index(broker)).proxy; }

    void kill(int broker = 0);  // SIGKILL
    void stop(int broker = 0);  // SIGTERM: its partitions' leaders move first
    void start(int broker = 0); // returns before it answers
    void await(int broker = 0); // until it answers
    void pause(int broker = 0); // SIGSTOP
    void resume(int broker = 0);

    void create_topic(const std::string &name, int partitions = 1, int replicas = 1,
                      const Settings &settings = {});
    void delete_topic(const std::string &name);
    void set(const std::string &topic, const std::string &name, const std::string &value);
    // Which broker leads it; -1: none.
    int leader(const std::string &topic, int partition = 0) const;

    // All there is in it now, partition by partition.
    std::vector<KafkaRecord> read(const std::string &topic) const;

  private:
    struct Broker {
        std::uint16_t client_port = 0;
        std::uint16_t internal_port = 0;
        std::uint16_t tls_port = 0;
        std::uint16_t sasl_port = 0;
        std::unique_ptr<Proxy> proxy;
        std::unique_ptr<Process> process;
    };
    static std::size_t index(int broker) { return static_cast<std::size_t>(broker); }
    std::filesystem::path folder(int broker) const;
    void configure(int broker, const Options &options, std::uint16_t controller_port);
    // Of brokers that run, past any proxy.
    std::string internal_brokers() const;
    std::string ports(std::uint16_t Broker::*port) const;

    TemporaryFolder folder_{"kafka"};
    std::vector<Broker> brokers_;
    std::unique_ptr<MockKafka> mock_;
};

} // namespace pgat::support
