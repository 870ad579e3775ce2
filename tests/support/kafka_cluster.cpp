#include "support/kafka_cluster.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/cluster.hpp"
#include "support/kafka_admin.hpp"
#include "support/mock_kafka.hpp"
#include "support/waiting.hpp"

namespace pgat::support {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr auto start_limit = 120s;

// Where the broker's jars are; empty: they cannot be had.
const fs::path &libraries() {
    static const fs::path folder = [] {
        const char *const given = std::getenv("PGAT_TEST_KAFKA"); // NOLINT(concurrency-mt-unsafe)
        if (given != nullptr)
            return std::string_view(given) == "mock" ? fs::path() : fs::path(given);
        const char *const source = std::getenv("PGAT_SOURCE_DIR"); // NOLINT(concurrency-mt-unsafe)
        if (source == nullptr)
            throw std::runtime_error("PGAT_SOURCE_DIR is not set: run with ctest");
        const auto found =
            run({fs::path(source) / "tests" / "support" / "kafka-libraries"}, {}, 400s);
        if (found.status == 0) return fs::path(found.out.substr(0, found.out.find('\n')));
        std::fprintf(stderr, "NOT ON A REAL KAFKA, but on librdkafka's mock: %s\n",
                     found.err.c_str());
        return fs::path();
    }();
    return folder;
}

std::string class_path() {
    std::vector<std::string> jars;
    for (const auto &entry : fs::directory_iterator(libraries()))
        if (entry.path().extension() == ".jar") jars.push_back(entry.path().string());
    std::sort(jars.begin(), jars.end()); // as in the archive
    std::string path;
    for (const auto &jar : jars)
        path += jar + ":";
    return path;
}

} // namespace

bool KafkaCluster::real() { return !libraries().empty(); }

KafkaCluster::KafkaCluster(const Options &options) {
    if (!real()) {
        mock_ = std::make_unique<MockKafka>(options.brokers);
        return;
    }
    const std::uint16_t controller = free_port();
    for (int i = 0; i < options.brokers; ++i) {
        Broker broker;
        broker.client_port = free_port();
        broker.internal_port = free_port();
        broker.tls_port = free_port();
        broker.sasl_port = free_port();
        if (options.proxied) broker.proxy = std::make_unique<Proxy>(broker.client_port);
        brokers_.push_back(std::move(broker));
        configure(i, options, controller);
        start(i);
    }
    if (!eventually([&] { return kafka_admin::answers(internal_brokers(), options.brokers); },
                    start_limit))
        throw std::runtime_error("Kafka does not start: " + brokers_.front().process->err());
}

KafkaCluster::~KafkaCluster() = default;

fs::path KafkaCluster::folder(int broker) const {
    return folder_.path() / ("broker-" + std::to_string(broker));
}

void KafkaCluster::configure(int broker, const Options &options, std::uint16_t controller_port) {
    const Broker &one = brokers_.at(index(broker));
    const std::string id = std::to_string(broker + 1);
    const fs::path home = folder(broker);
    fs::create_directories(home / "data");
    std::ofstream(home / "data" / "meta.properties")
        << "version=1\ncluster.id=cGdhdC1rYWZrYS10ZXN0cw\nnode.id=" << id << "\n";

    const auto at = [](const char *name, std::uint16_t port) {
        return std::string(name) + "://127.0.0.1:" + std::to_string(port);
    };
    std::string listeners = at("INTERNAL", one.internal_port) + "," + at("CLIENT", one.client_port);
    std::string advertised = at("INTERNAL", one.internal_port) + "," +
                             at("CLIENT", one.proxy ? one.proxy->port() : one.client_port);
    std::ofstream file(home / "server.properties");
    if (options.certificate != nullptr) {
        listeners += "," + at("TLS", one.tls_port);
        advertised += "," + at("TLS", one.tls_port);
        std::ofstream pem(home / "broker.pem");
        pem << std::ifstream(options.certificate->key_file()).rdbuf()
            << std::ifstream(options.certificate->certificate_file()).rdbuf();
        file << "ssl.keystore.type=PEM\nssl.keystore.location=" << (home / "broker.pem").string()
             << "\n";
    }
    if (!options.sasl_password.empty()) {
        listeners += "," + at("SASL", one.sasl_port);
        advertised += "," + at("SASL", one.sasl_port);
        file << "sasl.enabled.mechanisms=PLAIN\n"
             << "listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain."
             << "PlainLoginModule required user_app=\"" << options.sasl_password << "\";\n";
    }
    // The first one is the controller too.
    if (broker == 0) listeners += "," + at("CONTROLLER", controller_port);
    file << "process.roles=" << (broker == 0 ? "broker,controller" : "broker") << "\n"
         << "node.id=" << id << "\n"
         << "controller.quorum.voters=1@127.0.0.1:" << controller_port << "\n"
         << "controller.listener.names=CONTROLLER\ninter.broker.listener.name=INTERNAL\n"
         << "listener.security.protocol.map=CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,CLIENT:"
            "PLAINTEXT,"
            "TLS:SSL,SASL:SASL_PLAINTEXT\n"
         << "listeners=" << listeners << "\nadvertised.listeners=" << advertised << "\n"
         << "log.dirs=" << (home / "data").string() << "\n"
         << "num.network.threads=1\nnum.io.threads=2\nlog.cleaner.enable=false\n"
         << "offsets.topic.num.partitions=1\noffsets.topic.replication.factor=1\n"
         << "auto.create.topics.enable=false\nreplica.lag.time.max.ms=3000\n"
         << "broker.session.timeout.ms=3000\nbroker.heartbeat.interval.ms=500\n"
         << "initial.broker.registration.timeout.ms=120000\nfile.delete.delay.ms=100\n";
    for (const auto &[name, value] : options.settings)
        file << name << "=" << value << "\n";
}

void KafkaCluster::start(int broker) {
    if (mock_) return mock_->set_up(broker, true);
    const fs::path home = folder(broker);
    brokers_.at(index(broker)).process = std::make_unique<Process>(std::vector<std::string>{
        "java", "-Xmx192m", "-Xms32m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-Xshare:auto", "-XX:SharedArchiveFile=" + (libraries() / "kafka.jsa").string(),
        "-XX:-UsePerfData", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", class_path(),
        "kafka.Kafka", (home / "server.properties").string()});
}

void KafkaCluster::await(int broker) {
    if (mock_) return;
    const Broker &one = brokers_.at(index(broker));
    const std::string address = "127.0.0.1:" + std::to_string(one.internal_port);
    if (!eventually([&] { return kafka_admin::answers(address, 1); }, start_limit))
        throw std::runtime_error("the broker does not come back: " + one.process->err());
}

void KafkaCluster::kill(int broker) {
    if (mock_) return mock_->set_up(broker, false);
    Process &process = *brokers_.at(index(broker)).process;
    process.signal(SIGKILL);
    process.wait();
}

void KafkaCluster::stop(int broker) {
    if (mock_) return mock_->set_up(broker, false);
    Process &process = *brokers_.at(index(broker)).process;
    process.signal(SIGTERM);
    if (!process.wait(60s)) throw std::runtime_error("the broker does not stop");
}

void KafkaCluster::pause(int broker) {
    const Process &process = *brokers_.at(index(broker)).process;
    process.signal(SIGSTOP);
    const auto stands = [&] {
        for (const auto &thread :
             fs::directory_iterator("/proc/" + std::to_string(process.pid()) + "/task")) {
            std::ifstream file(thread.path() / "stat");
            const std::string stat(std::istreambuf_iterator<char>(file), {});
            const std::size_t name_end = stat.rfind(')');
            if (name_end != std::string::npos && stat.compare(name_end + 2, 1, "T") != 0)
                return false;
        }
        return true;
    };
    if (!eventually(stands)) throw std::runtime_error("the broker does not stand still");
}
void KafkaCluster::resume(int broker) { brokers_.at(index(broker)).process->signal(SIGCONT); }

std::string KafkaCluster::ports(std::uint16_t Broker::*port) const {
    std::string list;
    for (const Broker &broker : brokers_)
        list += (list.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(broker.*port);
    return list;
}

std::string KafkaCluster::brokers() const {
    if (mock_) return mock_->brokers();
    std::string list;
    for (const Broker &broker : brokers_)
        list += (list.empty() ? "127.0.0.1:" : ",127.0.0.1:") +
                std::to_string(broker.proxy ? broker.proxy->port() : broker.client_port);
    return list;
}

std::string KafkaCluster::tls_brokers() const { return ports(&Broker::tls_port); }
std::string KafkaCluster::sasl_brokers() const { return ports(&Broker::sasl_port); }
std::string KafkaCluster::internal_brokers() const {
    return mock_ ? mock_->brokers() : ports(&Broker::internal_port);
}

void KafkaCluster::create_topic(const std::string &name, int partitions, int replicas,
                                const Settings &settings) {
    if (mock_) return mock_->create_topic(name, partitions, replicas);
    kafka_admin::create_topic(internal_brokers(), name, partitions, replicas, settings);
    if (!eventually([&] { return leader(name, partitions - 1) >= 0; }))
        throw std::runtime_error("topic " + name + " gets no leader");
}

void KafkaCluster::delete_topic(const std::string &name) {
    kafka_admin::delete_topic(internal_brokers(), name);
}

void KafkaCluster::set(const std::string &topic, const std::string &name,
                       const std::string &value) {
    kafka_admin::set(internal_brokers(), topic, name, value);
}

int KafkaCluster::leader(const std::string &topic, int partition) const {
    const int id = kafka_admin::leader(internal_brokers(), topic, partition);
    return id < 0 ? -1 : id - 1;
}

std::vector<KafkaRecord> KafkaCluster::read(const std::string &topic) const {
    const Finished kcat = run({"kcat", "-C", "-q", "-e", "-b", internal_brokers(), "-t", topic,
                               "-o", "beginning", "-f", "%p\t%o\t%K\t%k\t%h\t%s\n"});
    if (kcat.status != 0) throw std::runtime_error("kcat: " + kcat.err);
    std::vector<KafkaRecord> records;
    std::istringstream lines(kcat.out);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string partition, offset, key_size, key;
        KafkaRecord record;
        std::getline(fields, partition, '\t');
        std::getline(fields, offset, '\t');
        std::getline(fields, key_size, '\t');
        std::getline(fields, key, '\t');
        std::getline(fields, record.headers, '\t');
        std::getline(fields, record.value);
        if (offset.empty() || key_size.empty()) throw std::runtime_error("kcat printed: " + line);
        record.partition = std::stoi(partition);
        record.offset = std::stoll(offset);
        if (key_size != "-1") record.key = key;
        records.push_back(std::move(record));
    }
    std::stable_sort(
        records.begin(), records.end(), [](const KafkaRecord &a, const KafkaRecord &b) {
            return a.partition != b.partition ? a.partition < b.partition : a.offset < b.offset;
        });
    return records;
}

} // namespace pgat::support
