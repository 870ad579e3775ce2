// The bare client of the rabbitmq row, and the clock of both sides. By rabbitmq-c's own connection and calls.
//
//     bench_rabbitmq_confirms publish PORT QUEUE COUNT WINDOW SIZE    publishes with confirms, WINDOW in flight
//     bench_rabbitmq_confirms watch PORT QUEUE COUNT                  prints the seconds from the first message
//                                                                     in the queue to so many
//     bench_rabbitmq_confirms declare|delete PORT QUEUE
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <poll.h>

namespace {

constexpr amqp_channel_t channel = 1;

[[noreturn]] void fail(const char *what) {
    std::fprintf(stderr, "%s failed\n", what);
    std::exit(1);
}

amqp_connection_state_t connect(int port) {
    amqp_connection_state_t const connection = amqp_new_connection();
    if (amqp_socket_open(amqp_tcp_socket_new(connection), "127.0.0.1", port) != AMQP_STATUS_OK)
        fail("connecting");
    if (amqp_login(connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest")
            .reply_type != AMQP_RESPONSE_NORMAL)
        fail("login");
    amqp_channel_open(connection, channel);
    if (amqp_get_rpc_reply(connection).reply_type != AMQP_RESPONSE_NORMAL) fail("channel.open");
    return connection;
}

std::uint32_t declare(amqp_connection_state_t connection, const char *queue, bool passive) {
    const auto *const ok = amqp_queue_declare(connection, channel, amqp_cstring_bytes(queue),
                                              passive ? 1 : 0, 1, 0, 0, amqp_empty_table);
    if (ok == nullptr) fail("queue.declare");
    return ok->message_count;
}

// Waits for the next confirm; what it settles leaves the front of `waiting`. Those behind one that is still
// open stay, which a sliding window allows.
void take_confirm(amqp_connection_state_t connection, std::uint64_t &first_open,
                  std::deque<bool> &open) {
    amqp_frame_t frame;
    amqp_maybe_release_buffers(connection);
    if (amqp_simple_wait_frame(connection, &frame) != AMQP_STATUS_OK) fail("waiting");
    if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
        fail("a confirm");
    const auto &ack = *static_cast<const amqp_basic_ack_t *>(frame.payload.method.decoded);
    const std::uint64_t begin = ack.multiple != 0 ? first_open : ack.delivery_tag;
    for (std::uint64_t number = begin; number <= ack.delivery_tag; ++number)
        open[number - first_open] = false;
    while (!open.empty() && !open.front()) {
        open.pop_front();
        ++first_open;
    }
}

void publish(int port, const char *queue, std::uint64_t count, std::size_t window,
             std::size_t size) {
    amqp_connection_state_t const connection = connect(port);
    amqp_confirm_select(connection, channel);
    const std::string body(size, 'x');
    std::string id = "0123456789abcdef-000000000000-0000000000000000";
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                        AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG;
    properties.content_type = amqp_cstring_bytes("application/json");
    properties.delivery_mode = 2;
    properties.timestamp = 1767225600;
    properties.message_id = {id.size(), id.data()};
    std::uint64_t first_open = 1;
    std::deque<bool> open;
    for (std::uint64_t sent = 0; sent < count; ++sent) {
        while (open.size() >= window)
            take_confirm(connection, first_open, open);
        if (amqp_basic_publish(connection, channel, amqp_empty_bytes, amqp_cstring_bytes(queue), 1,
                               0, &properties,
                               {body.size(), const_cast<char *>(body.data())}) != AMQP_STATUS_OK)
            fail("basic.publish");
        open.push_back(true);
    }
    while (!open.empty())
        take_confirm(connection, first_open, open);
    amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(connection);
}

void watch(int port, const char *queue, std::uint32_t count) {
    using Clock = std::chrono::steady_clock;
    amqp_connection_state_t const connection = connect(port);
    Clock::time_point begun{};
    std::uint32_t at_first = 0;
    while (true) {
        amqp_maybe_release_buffers(connection);
        const std::uint32_t there = declare(connection, queue, true);
        if (there > 0 && at_first == 0) {
            at_first = there;
            begun = Clock::now();
        }
        if (there >= count) break;
        ::poll(nullptr, 0, 2);
    }
    const std::chrono::duration<double> took = Clock::now() - begun;
    std::printf("%f\n", static_cast<double>(count - at_first) / took.count());
}

} // namespace

int main(int argc, char **argv) {
    const std::string what = argc > 3 ? argv[1] : "";
    const int port = argc > 3 ? std::atoi(argv[2]) : 0;
    if (what == "publish" && argc == 7) {
        publish(port, argv[3], std::strtoull(argv[4], nullptr, 10),
                std::strtoull(argv[5], nullptr, 10), std::strtoull(argv[6], nullptr, 10));
    } else if (what == "watch" && argc == 5) {
        watch(port, argv[3], static_cast<std::uint32_t>(std::strtoul(argv[4], nullptr, 10)));
    } else if (what == "declare") {
        declare(connect(port), argv[3], false);
    } else if (what == "delete") {
        amqp_queue_delete(connect(port), channel, amqp_cstring_bytes(argv[3]), 0, 0);
    } else {
        return 2;
    }
    return 0;
}
