#include "support/amqp_client.hpp"

#include <algorithm>
#include <stdexcept>

#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

namespace pgat::support {

namespace {

constexpr amqp_channel_t channel = 1;

amqp_bytes_t to_amqp(const std::string &text) {
    return {text.size(), const_cast<char *>(text.data())};
}

std::string text(amqp_bytes_t bytes) { return {static_cast<const char *>(bytes.bytes), bytes.len}; }

std::string text(const amqp_field_value_t &value) {
    switch (value.kind) {
    case AMQP_FIELD_KIND_UTF8:
    case AMQP_FIELD_KIND_BYTES:
        return text(value.value.bytes);
    case AMQP_FIELD_KIND_I64:
        return std::to_string(value.value.i64);
    case AMQP_FIELD_KIND_BOOLEAN:
        return value.value.boolean != 0 ? "true" : "false";
    default:
        return std::string("kind ") + static_cast<char>(value.kind);
    }
}

std::string why(const amqp_rpc_reply_t &reply) {
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
        return amqp_error_string2(reply.library_error);
    if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD)
        return text(static_cast<const amqp_channel_close_t *>(reply.reply.decoded)->reply_text);
    if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD)
        return text(static_cast<const amqp_connection_close_t *>(reply.reply.decoded)->reply_text);
    return "an unknown answer";
}

ReceivedMessage to_message(amqp_bytes_t exchange, amqp_bytes_t routing_key,
                           const amqp_message_t &message) {
    const amqp_basic_properties_t &from = message.properties;
    ReceivedMessage to;
    to.body = text(message.body);
    to.exchange = text(exchange);
    to.routing_key = text(routing_key);
    to.message_id = text(from.message_id);
    to.content_type = text(from.content_type);
    to.type = text(from.type);
    to.app_id = text(from.app_id);
    to.correlation_id = text(from.correlation_id);
    to.expiration = text(from.expiration);
    if ((from._flags & AMQP_BASIC_PRIORITY_FLAG) != 0) to.priority = from.priority;
    to.delivery_mode = from.delivery_mode;
    to.timestamp = from.timestamp;
    if ((from._flags & AMQP_BASIC_HEADERS_FLAG) != 0)
        for (int i = 0; i < from.headers.num_entries; ++i)
            to.headers[text(from.headers.entries[i].key)] = text(from.headers.entries[i].value);
    return to;
}

} // namespace

AmqpClient::AmqpClient(std::uint16_t port, const std::string &vhost)
    : state_(amqp_new_connection()) {
    amqp_socket_t *const socket = amqp_tcp_socket_new(state_.get());
    if (amqp_socket_open(socket, "127.0.0.1", port) != AMQP_STATUS_OK)
        throw std::runtime_error("the broker takes no connection");
    const auto login = amqp_login(state_.get(), vhost.c_str(), 0, 131072, 0, AMQP_SASL_METHOD_PLAIN,
                                  "guest", "guest");
    if (login.reply_type != AMQP_RESPONSE_NORMAL) throw std::runtime_error("login: " + why(login));
    amqp_channel_open(state_.get(), channel);
    check("channel.open");
}

void AmqpClient::check(const char *what) {
    const auto reply = amqp_get_rpc_reply(state_.get());
    if (reply.reply_type != AMQP_RESPONSE_NORMAL)
        throw std::runtime_error(std::string(what) + ": " + why(reply));
}

void AmqpClient::declare_queue(const std::string &queue) {
    amqp_queue_declare(state_.get(), channel, to_amqp(queue), 0, 1, 0, 0, amqp_empty_table);
    check("queue.declare");
}

void AmqpClient::delete_queue(const std::string &queue) {
    amqp_queue_delete(state_.get(), channel, to_amqp(queue), 0, 0);
    check("queue.delete");
}

void AmqpClient::declare_exchange(const std::string &exchange, const std::string &type) {
    amqp_exchange_declare(state_.get(), channel, to_amqp(exchange), to_amqp(type), 0, 1, 0, 0,
                          amqp_empty_table);
    check("exchange.declare");
}

void AmqpClient::delete_exchange(const std::string &exchange) {
    amqp_exchange_delete(state_.get(), channel, to_amqp(exchange), 0);
    check("exchange.delete");
}

void AmqpClient::bind(const std::string &queue, const std::string &exchange,
                      const std::string &routing_key) {
    amqp_queue_bind(state_.get(), channel, to_amqp(queue), to_amqp(exchange), to_amqp(routing_key),
                    amqp_empty_table);
    check("queue.bind");
}

std::optional<ReceivedMessage> AmqpClient::take(const std::string &queue) {
    amqp_maybe_release_buffers(state_.get());
    const auto reply = amqp_basic_get(state_.get(), channel, to_amqp(queue), 1);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL)
        throw std::runtime_error("basic.get: " + why(reply));
    if (reply.reply.id != AMQP_BASIC_GET_OK_METHOD) return std::nullopt;
    amqp_message_t message;
    const auto read = amqp_read_message(state_.get(), channel, &message, 0);
    if (read.reply_type != AMQP_RESPONSE_NORMAL)
        throw std::runtime_error("basic.get: " + why(read));
    const auto &got = *static_cast<const amqp_basic_get_ok_t *>(reply.reply.decoded);
    ReceivedMessage taken = to_message(got.exchange, got.routing_key, message);
    amqp_destroy_message(&message);
    return taken;
}

std::vector<ReceivedMessage> AmqpClient::take_all(const std::string &queue) {
    std::vector<ReceivedMessage> all;
    while (const std::uint32_t there = messages(queue)) {
        // No more than these are delivered: what comes meanwhile stays.
        const auto count = static_cast<std::uint16_t>(std::min<std::uint32_t>(there, 65535));
        amqp_basic_qos(state_.get(), channel, 0, count, 0);
        check("basic.qos");
        amqp_basic_consume(state_.get(), channel, to_amqp(queue), amqp_cstring_bytes("all"), 0, 0,
                           0, amqp_empty_table);
        check("basic.consume");
        std::uint64_t last = 0;
        for (std::uint32_t i = 0; i < count; ++i) {
            amqp_maybe_release_buffers(state_.get());
            amqp_envelope_t envelope;
            const timeval patience{30, 0};
            const auto got = amqp_consume_message(state_.get(), &envelope, &patience, 0);
            if (got.reply_type != AMQP_RESPONSE_NORMAL)
                throw std::runtime_error("basic.deliver: " + why(got));
            last = envelope.delivery_tag;
            all.push_back(to_message(envelope.exchange, envelope.routing_key, envelope.message));
            amqp_destroy_envelope(&envelope);
        }
        amqp_basic_cancel(state_.get(), channel, amqp_cstring_bytes("all"));
        check("basic.cancel");
        amqp_basic_ack(state_.get(), channel, last, 1);
    }
    return all;
}

std::vector<std::string> AmqpClient::take_bodies(const std::string &queue) {
    std::vector<std::string> bodies;
    for (ReceivedMessage &one : take_all(queue))
        bodies.push_back(std::move(one.body));
    return bodies;
}

std::uint32_t AmqpClient::messages(const std::string &queue) {
    const auto *const declared =
        amqp_queue_declare(state_.get(), channel, to_amqp(queue), 1, 1, 0, 0, amqp_empty_table);
    check("queue.declare");
    return declared->message_count;
}

} // namespace pgat::support
