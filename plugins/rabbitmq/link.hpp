// A connection to one broker, logged in: frames go out and come in, heartbeats are kept, and nothing waits
// beyond what it is told to.
//
// After an exception of read() or write() it is of no use any more.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "rabbitmq/byte_stream.hpp"
#include "rabbitmq/frames.hpp"
#include "rabbitmq/settings.hpp"

namespace pgat::rabbitmq {

class Link {
  public:
    // Connects and logs in. Throws Failure: PGAT_E_CANCELLED, or PGAT_E_UNAVAILABLE with a reason that says
    // what to do.
    Link(const Broker &broker, const Settings &settings, std::string_view version,
         Resolver &resolver, const Patience &patience, plugin::TimePoint until);
    Link(const Link &) = delete;
    Link &operator=(const Link &) = delete;

    // What will be sent: append frames to it by means of the writer, then exchange().
    std::string &out() noexcept { return out_; }
    FrameWriter &writer() noexcept { return writer_; }
    // Bytes of it that the socket has not taken yet.
    std::size_t backlog() const noexcept { return out_.size() - sent_; }

    // Sends and receives what goes without waiting. Throws ConnectionLost.
    void exchange();
    // Waits until there is something to exchange, or as Patience::wait says, or a heartbeat is due.
    void wait(const Patience &patience, plugin::TimePoint until);

    // The next frame that was received whole, heartbeats left out; good until the next call. Throws
    // ConnectionLost, also for the broker's connection.close.
    bool next(amqp_frame_t &frame);

    // Waits for a method on a channel, other than those that may come at any time, which `others` is given.
    // Throws Failure as the constructor does, ConnectionLost.
    template <class Others>
    amqp_frame_t await(amqp_method_number_t number, const Patience &patience,
                       plugin::TimePoint until, Others &&others) {
        amqp_frame_t frame{};
        while (true) {
            exchange();
            while (next(frame)) {
                if (frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == number)
                    return frame;
                others(frame);
            }
            wait_for_answer(patience, until);
        }
    }

    // Says good-bye and waits for the answer, shortly.
    void close() noexcept;
    // Drops what is in its buffers, so that none of it arrives later.
    void abandon() const noexcept { stream_.abandon(); }

    const std::string &server() const noexcept { return server_; } // "RabbitMQ 3.10.8"

  private:
    void log_in(const Broker &broker, const Settings &settings, std::string_view version,
                const Patience &patience, plugin::TimePoint until);
    void start(const amqp_connection_start_t &offer, const Broker &broker, const Settings &settings,
               std::string_view version);
    void tune(const amqp_connection_tune_t &offer, const Settings &settings);
    void wait_for_answer(const Patience &patience, plugin::TimePoint until);
    void write();
    void read();

    ByteStream stream_;
    FrameReader reader_;
    FrameWriter writer_;
    std::string out_;
    std::size_t sent_ = 0; // of out_
    std::string in_;
    std::string_view unread_; // of in_
    short wanted_ = 0;        // what the socket must be ready for, beside reading
    std::string server_;
    std::chrono::seconds heartbeat_{0}; // agreed on; 0: none
    plugin::TimePoint last_sent_{};
    plugin::TimePoint last_received_{};
};

} // namespace pgat::rabbitmq
