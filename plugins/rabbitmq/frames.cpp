#include "rabbitmq/frames.hpp"

#include <new>

#include "rabbitmq/refusal.hpp"

namespace pgat::rabbitmq {

namespace {

constexpr std::size_t around_payload = 8; // type, channel, size; and the end's mark
constexpr int protocol_header = 'A';      // rabbitmq-c's type for the other side's "AMQP…"
constexpr char end_of_frame = static_cast<char>(AMQP_FRAME_END);

void append_number(std::string &out, std::uint64_t number, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        out += static_cast<char>(number >> static_cast<unsigned>(shift));
}

void begin_frame(std::string &out, int type, std::uint16_t channel, std::size_t size) {
    append_number(out, static_cast<std::uint64_t>(type), 1);
    append_number(out, channel, 2);
    append_number(out, size, 4);
}

} // namespace

FrameReader::FrameReader() : state_(amqp_new_connection()) {
    if (!state_) throw std::bad_alloc();
    // The first frame that the broker sends is read as one without this too, but not told its channel's
    // limit; both limits are tuned again when they are known.
}

bool FrameReader::next(std::string_view &bytes, amqp_frame_t &frame) {
    amqp_maybe_release_buffers(state_.get());
    frame.frame_type = 0;
    while (!bytes.empty()) {
        const int used = amqp_handle_input(state_.get(), to_amqp(bytes), &frame);
        if (used < 0)
            throw ConnectionLost(std::string("what came is not AMQP 0-9-1 (") +
                                 amqp_error_string2(used) + "): is this RabbitMQ's port?");
        bytes.remove_prefix(static_cast<std::size_t>(used));
        if (frame.frame_type == protocol_header)
            throw ConnectionLost("the broker does not speak AMQP 0-9-1");
        if (frame.frame_type != 0) return true;
        if (used == 0) break;
    }
    return false;
}

void FrameReader::tune(std::uint16_t channel_max, std::uint32_t frame_max) {
    amqp_tune_connection(state_.get(), channel_max, static_cast<int>(frame_max), 0);
}

bool FrameWriter::method(std::string &out, std::uint16_t channel, amqp_method_number_t number,
                         const void *method) {
    const amqp_bytes_t room{scratch_.size() - around_payload - 4, scratch_.data()};
    const int size = amqp_encode_method(number, const_cast<void *>(method), room);
    if (size < 0) return false;
    begin_frame(out, AMQP_FRAME_METHOD, channel, static_cast<std::size_t>(size) + 4);
    append_number(out, number, 4);
    out.append(scratch_.data(), static_cast<std::size_t>(size));
    out += end_of_frame;
    return true;
}

bool FrameWriter::header(std::string &out, std::uint16_t channel, std::uint64_t body_size,
                         const amqp_basic_properties_t &properties) {
    constexpr std::size_t before = 12; // class, weight, size of the body
    const amqp_bytes_t room{scratch_.size() - around_payload - before, scratch_.data()};
    const int size = amqp_encode_properties(
        AMQP_BASIC_CLASS, const_cast<amqp_basic_properties_t *>(&properties), room);
    if (size < 0) return false;
    begin_frame(out, AMQP_FRAME_HEADER, channel, static_cast<std::size_t>(size) + before);
    append_number(out, AMQP_BASIC_CLASS, 2);
    append_number(out, 0, 2);
    append_number(out, body_size, 8);
    out.append(scratch_.data(), static_cast<std::size_t>(size));
    out += end_of_frame;
    return true;
}

void FrameWriter::body(std::string &out, std::uint16_t channel, std::string_view bytes) const {
    const std::size_t most = scratch_.size() - around_payload;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(most, bytes.size()))) {
        const std::string_view part = bytes.substr(0, most);
        begin_frame(out, AMQP_FRAME_BODY, channel, part.size());
        out += part;
        out += end_of_frame;
    }
}

void FrameWriter::heartbeat(std::string &out) {
    begin_frame(out, AMQP_FRAME_HEARTBEAT, 0, 0);
    out += end_of_frame;
}

} // namespace pgat::rabbitmq
