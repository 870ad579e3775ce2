// kafka_loop BROKERS TOPIC COUNT BYTES KEYS: as many messages as asked for with a bare loop over librdkafka, as
// the kafka sink sets it up: what a client of that library can do at most. Ends when all are confirmed.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

namespace {

constexpr std::array<std::pair<const char *, const char *>, 7> properties{{
    {"enable.idempotence", "true"},
    {"enable.gapless.guarantee", "true"},
    {"acks", "all"},
    {"partitioner", "murmur2_random"},
    {"message.timeout.ms", "0"},
    {"linger.ms", "1"},
    {"statistics.interval.ms", "5000"},
}};

long confirmed = 0;

void count(rd_kafka_t *, const rd_kafka_message_t *message, void *) {
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        std::fprintf(stderr, "kafka_loop: %s\n", rd_kafka_err2str(message->err));
        std::exit(EXIT_FAILURE);
    }
    ++confirmed;
}

rd_kafka_resp_err_t send(rd_kafka_t *handle, rd_kafka_topic_t *topic, std::string &key,
                         std::string &value, std::string &id) {
    std::array<rd_kafka_vu_t, 5> parts{};
    parts[0].vtype = RD_KAFKA_VTYPE_RKT;
    parts[0].u.rkt = topic;
    parts[1].vtype = RD_KAFKA_VTYPE_KEY;
    parts[1].u.mem.ptr = key.data();
    parts[1].u.mem.size = key.size();
    parts[2].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[2].u.mem.ptr = value.data();
    parts[2].u.mem.size = value.size();
    parts[3].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[3].u.i = RD_KAFKA_MSG_F_COPY;
    parts[4].vtype = RD_KAFKA_VTYPE_HEADER;
    parts[4].u.header.name = "id";
    parts[4].u.header.val = id.data();
    parts[4].u.header.size = static_cast<ssize_t>(id.size());
    rd_kafka_error_t *const error = rd_kafka_produceva(handle, parts.data(), parts.size());
    if (error == nullptr) return RD_KAFKA_RESP_ERR_NO_ERROR;
    const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}

void produce(const char *brokers, const char *topic, long messages, std::size_t bytes, long keys) {
    rd_kafka_conf_t *const conf = rd_kafka_conf_new();
    std::array<char, 512> why{};
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why.data(), why.size());
    for (const auto &[name, value] : properties)
        if (rd_kafka_conf_set(conf, name, value, why.data(), why.size()) != RD_KAFKA_CONF_OK)
            throw std::runtime_error(why.data());
    rd_kafka_conf_set_dr_msg_cb(conf, &count);
    rd_kafka_conf_set_log_cb(conf, nullptr);
    rd_kafka_t *const handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size());
    if (handle == nullptr) throw std::runtime_error(why.data());
    rd_kafka_topic_t *const known = rd_kafka_topic_new(handle, topic, nullptr);

    std::string value(bytes, 'x');
    std::string id = "0f8fad5b-d9cb-469f-a165-70867728950e-0000000000-1767225600000000";
    std::vector<std::string> names;
    for (long i = 0; i < keys; ++i)
        names.push_back(std::to_string(i));
    for (long sent = 0; sent < messages;) {
        std::string &key = names[static_cast<std::size_t>(sent % keys)];
        const auto error = send(handle, known, key, value, id);
        if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_poll(handle, 100);
        } else if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            throw std::runtime_error(rd_kafka_err2str(error));
        } else {
            ++sent;
            if (sent % 1000 == 0) rd_kafka_poll(handle, 0);
        }
    }
    while (confirmed < messages)
        rd_kafka_poll(handle, 100);
    rd_kafka_topic_destroy(known);
    rd_kafka_destroy(handle);
}

} // namespace

int main(int argc, char **argv) try {
    if (argc != 6) throw std::runtime_error("usage: kafka_loop BROKERS TOPIC COUNT BYTES KEYS");
    produce(argv[1], argv[2], std::stol(argv[3]), std::stoul(argv[4]), std::stol(argv[5]));
    return EXIT_SUCCESS;
} catch (const std::exception &exception) {
    std::fprintf(stderr, "kafka_loop: %s\n", exception.what());
    return EXIT_FAILURE;
}
