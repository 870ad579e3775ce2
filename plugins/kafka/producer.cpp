#include "kafka/producer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <syslog.h>
#include <unistd.h>

namespace pgat::kafka {

namespace {

using plugin::Failure;
using plugin::Host;
using std::chrono::milliseconds;

struct Configuration {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    ~Configuration() {
        if (conf != nullptr) rd_kafka_conf_destroy(conf);
    }
    Configuration() = default;
    Configuration(const Configuration &) = delete;
    Configuration &operator=(const Configuration &) = delete;
};

void set(rd_kafka_conf_t *conf, const std::string &name, const std::string &value) {
    std::array<char, 512> why{};
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) !=
        RD_KAFKA_CONF_OK)
        throw Failure(PGAT_E_CONFIG, "properties." + name + ": " + why.data());
}

// "localhost:9092/1: Connect to … failed" comes as `text`, its kind as `facility`.
void log(const pgat_host *host, int level, std::string_view facility, std::string_view text) {
    // That enable.gapless.guarantee is experimental is for us to know.
    if (facility == "CONFWARN" && text.find("enable.gapless.guarantee") != std::string_view::npos)
        return;
    // A producer that stops is made anew, and whoever does that says why.
    if (facility == "FATAL") level = LOG_DEBUG;
    // One of its errors is often one broker of many: that all are gone the daemon says.
    const std::int32_t ours = level <= LOG_CRIT      ? PGAT_LOG_ERROR
                              : level <= LOG_WARNING ? PGAT_LOG_WARN
                              : level <= LOG_INFO    ? PGAT_LOG_INFO
                                                     : PGAT_LOG_DEBUG;
    // "[thrd:localhost:9092/bootstrap]: " says nothing to who does not know its sources.
    const std::size_t thread_end = text.find("]: ");
    if (text.substr(0, 6) == "[thrd:" && thread_end != std::string_view::npos)
        text.remove_prefix(thread_end + 3);
    std::string line("librdkafka ");
    line.append(facility).append(": ").append(text);
    host->log(host, ours, plugin::str(line));
}

} // namespace

Producer::Producer(const Host &host, const Properties &properties, Requests requests,
                   std::size_t request_bytes, Listener &listener)
    : host_(host.raw()), listener_(listener) {
    Configuration made;
    rd_kafka_conf_t *const conf = made.conf;
    for (const auto &[name, value] : properties)
        set(conf, name, value);
    if (request_bytes > 0) set(conf, "batch.size", std::to_string(request_bytes));
    if (requests == Requests::of_one) set(conf, "batch.num.messages", "1");

    rd_kafka_conf_set_opaque(conf, this);
    rd_kafka_conf_set_dr_msg_cb(conf,
                                [](rd_kafka_t *, const rd_kafka_message_t *message, void *self) {
                                    static_cast<Producer *>(self)->listener_.on_report(
                                        message->_private, message->err, message->partition);
                                });
    rd_kafka_conf_set_error_cb(conf, [](rd_kafka_t *, int error, const char *text, void *self) {
        static_cast<Producer *>(self)->listener_.on_error(static_cast<rd_kafka_resp_err_t>(error),
                                                          text);
    });
    rd_kafka_conf_set_stats_cb(conf, [](rd_kafka_t *, char *json, std::size_t size, void *self) {
        static_cast<Producer *>(self)->listener_.on_statistics({json, size});
        return 0;
    });
    rd_kafka_conf_set_log_cb(
        conf, [](const rd_kafka_t *handle, int level, const char *facility, const char *text) {
            // Lines about the configuration come before there is a handle to find us by.
            if (handle == nullptr) return;
            const auto *const self = static_cast<const Producer *>(rd_kafka_opaque(handle));
            log(self->host_, level, facility, text);
        });

    bell_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (bell_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    std::array<char, 512> why{};
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size());
    if (handle_ == nullptr) {
        ::close(bell_);
        throw Failure(PGAT_E_CONFIG,
                      std::string("librdkafka refuses the configuration: ") + why.data());
    }
    made.conf = nullptr; // the producer has it now
    rd_kafka_queue_t *const news = rd_kafka_queue_get_main(handle_);
    constexpr std::uint64_t one = 1;
    rd_kafka_queue_io_event_enable(news, bell_, &one, sizeof(one));
    rd_kafka_queue_destroy(news);
}

Producer::~Producer() {
    purge();
    rd_kafka_destroy(handle_);
    ::close(bell_);
}

rd_kafka_resp_err_t Producer::produce(const Message &message, void *tag) noexcept {
    constexpr std::size_t most = 64;
    std::array<rd_kafka_vu_t, most> parts; // filled up to `count`
    std::size_t count = 0;
    const auto part = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t & {
        parts[count].vtype = type;
        return parts[count++];
    };
    part(RD_KAFKA_VTYPE_RKT).u.rkt = message.topic;
    part(RD_KAFKA_VTYPE_PARTITION).u.i32 = message.partition;
    part(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
    part(RD_KAFKA_VTYPE_OPAQUE).u.ptr = tag;
    auto &value = part(RD_KAFKA_VTYPE_VALUE).u.mem;
    value.ptr = const_cast<char *>(message.value.data());
    value.size = message.value.size();
    if (message.key) {
        auto &key = part(RD_KAFKA_VTYPE_KEY).u.mem;
        key.ptr = const_cast<char *>(message.key->data());
        key.size = message.key->size();
    }
    for (const auto &[name, text] : message.headers) {
        if (count == most) return RD_KAFKA_RESP_ERR__INVALID_ARG;
        auto &header = part(RD_KAFKA_VTYPE_HEADER).u.header;
        header.name = name.data();
        header.val = text.data();
        header.size = static_cast<ssize_t>(text.size());
    }
    rd_kafka_error_t *const error = rd_kafka_produceva(handle_, parts.data(), count);
    if (error == nullptr) return RD_KAFKA_RESP_ERR_NO_ERROR;
    const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}

void Producer::wait(int cancel_fd, milliseconds limit) {
    std::array<pollfd, 2> fds{{{bell_, POLLIN, 0}, {cancel_fd, POLLIN, 0}}};
    const auto time = std::max(milliseconds::zero(), limit).count();
    const int ready = ::poll(fds.data(), cancel_fd < 0 ? 1 : 2, static_cast<int>(time));
    if (ready < 0 && errno != EINTR)
        throw std::system_error(errno, std::generic_category(), "poll");
    std::uint64_t rings = 0;
    // Emptied before the news is read, so that what comes meanwhile rings again.
    while (::read(bell_, &rings, sizeof(rings)) > 0) {
    }
    poll();
}

TopicHandle Producer::topic(const std::string &name) {
    TopicHandle topic(rd_kafka_topic_new(handle_, name.c_str(), nullptr));
    if (!topic)
        throw std::runtime_error("topic " + name + ": " + rd_kafka_err2str(rd_kafka_last_error()));
    return topic;
}

Metadata Producer::metadata(rd_kafka_topic_t *topic, milliseconds limit,
                            rd_kafka_resp_err_t &error) noexcept {
    const rd_kafka_metadata_t *found = nullptr;
    error = rd_kafka_metadata(handle_, 0, topic, &found, static_cast<int>(limit.count()));
    return Metadata(error == RD_KAFKA_RESP_ERR_NO_ERROR ? found : nullptr);
}

std::optional<std::string> Producer::fatal_error() const {
    std::array<char, 512> why{};
    const rd_kafka_resp_err_t error = rd_kafka_fatal_error(handle_, why.data(), why.size());
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
    return std::string(rd_kafka_err2name(error)).append(": ").append(why.data());
}

void Producer::give_back_if_stopped() noexcept {
    if (rd_kafka_fatal_error(handle_, nullptr, 0) == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    // librdkafka does this once, when it stops; what was to be sent again then comes back only later.
    rd_kafka_purge(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
}

void Producer::purge() noexcept {
    rd_kafka_purge(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (int tries = 0; unreported() > 0 && tries < 50; ++tries)
        rd_kafka_poll(handle_, 10);
}

} // namespace pgat::kafka
