#include "rabbitmq/session.hpp"

#include "rabbitmq/refusal.hpp"

namespace pgat::rabbitmq {

namespace {

using plugin::Failure;
using plugin::TimePoint;

constexpr std::uint16_t channel = 1;

template <class Method>
const Method &decoded(const amqp_frame_t &frame) {
    return *static_cast<const Method *>(frame.payload.method.decoded);
}

} // namespace

Session::Session(const Broker &broker, const Settings &settings, std::string_view version,
                 Resolver &resolver, const Patience &patience, TimePoint until)
    : settings_(settings), link_(broker, settings, version, resolver, patience, until),
      where_(broker.name()) {
    try {
        open_channel(patience, until);
        declare(patience, until);
    } catch (const ChannelClosed &closed) {
        throw Failure(PGAT_E_UNAVAILABLE,
                      where_ + ": " + closed.what() + std::string(remedy_for(closed.refusal())));
    } catch (const ConnectionLost &lost) {
        throw Failure(PGAT_E_UNAVAILABLE, where_ + ": " + lost.what());
    }
}

void Session::call(amqp_method_number_t number, const void *method, amqp_method_number_t answer,
                   const Patience &patience, TimePoint until) {
    if (!link_.writer().method(link_.out(), channel, number, method))
        throw ConnectionLost("a name or argument in the configuration is longer than AMQP allows");
    link_.await(answer, patience, until,
                [this](const amqp_frame_t &frame) { take(frame, nullptr); });
}

void Session::open_channel(const Patience &patience, TimePoint until) {
    const amqp_channel_open_t open{};
    call(AMQP_CHANNEL_OPEN_METHOD, &open, AMQP_CHANNEL_OPEN_OK_METHOD, patience, until);
    const amqp_confirm_select_t select{};
    call(AMQP_CONFIRM_SELECT_METHOD, &select, AMQP_CONFIRM_SELECT_OK_METHOD, patience, until);
    last_number_ = 0;
    in_return_ = false;
}

void Session::reopen(const Patience &patience, TimePoint until) {
    try {
        open_channel(patience, until);
    } catch (const ChannelClosed &closed) {
        throw ConnectionLost(closed.what());
    }
}

void Session::declare(const Patience &patience, TimePoint until) {
    const std::string_view exchange = settings_.exchange.text.prefix();
    std::vector<amqp_table_entry_t> entries;
    if (const auto &declared = settings_.declared_exchange) {
        amqp_exchange_declare_t method{};
        method.exchange = to_amqp(exchange);
        method.type = to_amqp(declared->type);
        method.durable = declared->durable ? 1 : 0;
        method.arguments = to_table(declared->arguments, entries);
        call(AMQP_EXCHANGE_DECLARE_METHOD, &method, AMQP_EXCHANGE_DECLARE_OK_METHOD, patience,
             until);
    } else if (settings_.exchange.text.constant() && !exchange.empty()) {
        // Changes nothing; fails if it is not there, which otherwise only an event would find out.
        amqp_exchange_declare_t method{};
        method.exchange = to_amqp(exchange);
        method.passive = 1;
        call(AMQP_EXCHANGE_DECLARE_METHOD, &method, AMQP_EXCHANGE_DECLARE_OK_METHOD, patience,
             until);
    }
    for (const DeclaredQueue &queue : settings_.declared_queues) {
        amqp_queue_declare_t method{};
        method.queue = to_amqp(queue.name);
        method.durable = queue.durable ? 1 : 0;
        method.arguments = to_table(queue.arguments, entries);
        call(AMQP_QUEUE_DECLARE_METHOD, &method, AMQP_QUEUE_DECLARE_OK_METHOD, patience, until);
        for (const std::string &key : queue.routing_keys) {
            amqp_queue_bind_t bind{};
            bind.queue = to_amqp(queue.name);
            bind.exchange = to_amqp(exchange);
            bind.routing_key = to_amqp(key);
            call(AMQP_QUEUE_BIND_METHOD, &bind, AMQP_QUEUE_BIND_OK_METHOD, patience, until);
        }
    }
}

std::optional<std::uint64_t> Session::publish(const Message &message, bool mandatory) {
    const std::size_t before = link_.out().size();
    amqp_basic_publish_t method{};
    method.exchange = to_amqp(message.exchange);
    method.routing_key = to_amqp(message.routing_key);
    method.mandatory = mandatory ? 1 : 0;
    if (!link_.writer().method(link_.out(), channel, AMQP_BASIC_PUBLISH_METHOD, &method) ||
        !link_.writer().header(link_.out(), channel, message.body.size(), message.properties)) {
        link_.out().resize(before);
        return std::nullopt;
    }
    link_.writer().body(link_.out(), channel, message.body);
    return ++last_number_;
}

void Session::exchange(Listener &listener) {
    link_.exchange();
    amqp_frame_t frame{};
    while (link_.next(frame))
        take(frame, &listener);
}

void Session::ping(bool publishing, const Patience &patience, TimePoint until) {
    if (publishing) {
        Message nothing;
        publish(nothing, false);
    }
    const amqp_confirm_select_t select{};
    link_.writer().method(link_.out(), channel, AMQP_CONFIRM_SELECT_METHOD, &select);
    link_.await(AMQP_CONFIRM_SELECT_OK_METHOD, patience, until, [this](const amqp_frame_t &frame) {
        take(frame, nullptr);
        if (blocked_) throw ConnectionLost("the broker takes no messages: " + *blocked_);
    });
}

void Session::take(const amqp_frame_t &frame, Listener *listener) {
    if (frame.frame_type != AMQP_FRAME_METHOD) {
        if (in_return_) take_return(frame, listener);
        return;
    }
    in_return_ = false;
    switch (frame.payload.method.id) {
    case AMQP_BASIC_ACK_METHOD: {
        const auto &ack = decoded<amqp_basic_ack_t>(frame);
        if (listener != nullptr) listener->confirmed(ack.delivery_tag, ack.multiple != 0, true);
        break;
    }
    case AMQP_BASIC_NACK_METHOD: {
        const auto &nack = decoded<amqp_basic_nack_t>(frame);
        if (listener != nullptr) listener->confirmed(nack.delivery_tag, nack.multiple != 0, false);
        break;
    }
    case AMQP_BASIC_RETURN_METHOD: {
        const auto &back = decoded<amqp_basic_return_t>(frame);
        in_return_ = true;
        return_reason_ = "the broker returned it (" + one_line(to_view(back.reply_text)) +
                         "): no queue for routing key \"" + one_line(to_view(back.routing_key)) +
                         "\" at exchange \"" + one_line(to_view(back.exchange)) + "\"";
        break;
    }
    case AMQP_CONNECTION_BLOCKED_METHOD:
        blocked_ = one_line(to_view(decoded<amqp_connection_blocked_t>(frame).reason));
        blocked_since_ = std::chrono::steady_clock::now();
        break;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        blocked_.reset();
        break;
    case AMQP_CHANNEL_CLOSE_METHOD: {
        const auto &close = decoded<amqp_channel_close_t>(frame);
        const amqp_channel_close_ok_t ok{};
        link_.writer().method(link_.out(), channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
        throw ChannelClosed({close.reply_code, one_line(to_view(close.reply_text)), close.class_id,
                             close.method_id});
    }
    default: // channel.flow is not used by RabbitMQ; answers that nobody waits for any more
        break;
    }
}

void Session::take_return(const amqp_frame_t &frame, Listener *listener) {
    if (frame.frame_type != AMQP_FRAME_HEADER) return; // the body: we have it
    const auto &properties =
        *static_cast<const amqp_basic_properties_t *>(frame.payload.properties.decoded);
    if (listener != nullptr && (properties._flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0)
        listener->returned(to_view(properties.message_id), return_reason_);
}

} // namespace pgat::rabbitmq
