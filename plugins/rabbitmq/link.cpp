#include "rabbitmq/link.hpp"

#include <algorithm>
#include <array>

#include <poll.h>

#include "rabbitmq/refusal.hpp"

namespace pgat::rabbitmq {

namespace {

using plugin::Failure;
using plugin::TimePoint;
using std::chrono::steady_clock;

constexpr std::size_t most_at_once = 65536;
constexpr std::chrono::milliseconds farewell{300};

} // namespace

Link::Link(const Broker &broker, const Settings &settings, std::string_view version,
           Resolver &resolver, const Patience &patience, TimePoint until)
    : stream_(broker, settings.tls, resolver, patience, until), in_(most_at_once, '\0') {
    last_sent_ = last_received_ = steady_clock::now();
    try {
        log_in(broker, settings, version, patience, until);
    } catch (const ConnectionLost &lost) {
        throw Failure(PGAT_E_UNAVAILABLE, broker.name() + ": " + lost.what());
    }
}

void Link::wait_for_answer(const Patience &patience, TimePoint until) {
    if (steady_clock::now() >= until) throw ConnectionLost("no answer in time");
    wait(patience, until);
    if (patience.cancelled())
        throw Failure(PGAT_E_CANCELLED, "stopped while waiting for the broker's answer");
}

void Link::exchange() {
    read();
    try {
        write();
    } catch (const ConnectionLost &) {
        // What the broker still said, confirms or why it closes, comes first: the next call finds the end.
        if (!unread_.empty()) return;
        throw;
    }
    if (heartbeat_.count() == 0) return;
    const TimePoint now = steady_clock::now();
    if (now - last_received_ > 2 * heartbeat_)
        throw ConnectionLost("nothing was heard of the broker for two heartbeats of " +
                             std::to_string(heartbeat_.count()) + " s");
    if (backlog() == 0 && now - last_sent_ > heartbeat_ / 2) {
        FrameWriter::heartbeat(out_);
        write();
    }
}

void Link::wait(const Patience &patience, TimePoint until) {
    if (!unread_.empty()) return;
    if (heartbeat_.count() != 0)
        until = std::min({until, last_sent_ + heartbeat_ / 2, last_received_ + 2 * heartbeat_});
    const short also = backlog() > 0 ? wanted_ : short{0};
    patience.wait(stream_.fd(), static_cast<short>(POLLIN | also), until);
}

void Link::write() {
    while (backlog() > 0) {
        std::size_t put = 0;
        const auto io = stream_.write(out_.data() + sent_, backlog(), put);
        if (io == ByteStream::Io::closed) throw ConnectionLost(stream_.why());
        if (io != ByteStream::Io::done) {
            wanted_ = io == ByteStream::Io::wants_to_write ? POLLOUT : short{0};
            // Keeps what is left at the front, so that the buffer does not grow for ever.
            if (sent_ > out_.size() / 2) {
                out_.erase(0, sent_);
                sent_ = 0;
            }
            return;
        }
        sent_ += put;
        last_sent_ = steady_clock::now();
    }
    constexpr std::size_t large = std::size_t{1} << 20U;
    if (out_.capacity() > large) out_ = std::string();
    out_.clear();
    sent_ = 0;
    wanted_ = 0;
}

void Link::read() {
    if (!unread_.empty()) return;
    std::size_t got = 0;
    const auto io = stream_.read(in_.data(), in_.size(), got);
    // What the broker said before it closed, such as why, is read first: the next read finds the end.
    if (io == ByteStream::Io::closed) throw ConnectionLost(stream_.why());
    if (io != ByteStream::Io::done) return;
    unread_ = std::string_view(in_).substr(0, got);
    last_received_ = steady_clock::now();
}

bool Link::next(amqp_frame_t &frame) {
    while (reader_.next(unread_, frame)) {
        if (frame.frame_type == AMQP_FRAME_HEARTBEAT) continue;
        if (frame.frame_type == AMQP_FRAME_METHOD &&
            frame.payload.method.id == AMQP_CONNECTION_CLOSE_METHOD) {
            const auto &close =
                *static_cast<const amqp_connection_close_t *>(frame.payload.method.decoded);
            const Refusal refusal{close.reply_code, one_line(to_view(close.reply_text)),
                                  close.class_id, close.method_id};
            const amqp_connection_close_ok_t ok{};
            writer_.method(out_, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
            try {
                write();
            } catch (const ConnectionLost &) { // it does not wait for our answer
            }
            throw ConnectionLost("the broker closed the connection: " + refusal.text +
                                     std::string(remedy_for(refusal)),
                                 refusal.code);
        }
        return true;
    }
    return false;
}

void Link::close() noexcept {
    try {
        const amqp_connection_close_t bye{200, to_amqp("bye"), 0, 0};
        writer_.method(out_, 0, AMQP_CONNECTION_CLOSE_METHOD, &bye);
        const TimePoint until = steady_clock::now() + farewell;
        amqp_frame_t frame{};
        while (true) {
            exchange();
            while (next(frame))
                if (frame.frame_type == AMQP_FRAME_METHOD &&
                    frame.payload.method.id == AMQP_CONNECTION_CLOSE_OK_METHOD)
                    return;
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now());
            if (left.count() <= 0) return;
            pollfd watched{stream_.fd(), static_cast<short>(POLLIN | (backlog() > 0 ? wanted_ : 0)),
                           0};
            ::poll(&watched, 1, static_cast<int>(left.count()));
        }
    } catch (...) { // it is gone already
    }
}

} // namespace pgat::rabbitmq
