// A link with one channel in confirm mode: messages go out under numbers, and the broker's answers come back
// to a listener. Declares what the configuration lists, first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rabbitmq/link.hpp"
#include "rabbitmq/message.hpp"
#include "rabbitmq/settings.hpp"

namespace pgat::rabbitmq {

class Listener {
  public:
    virtual ~Listener() = default;
    // The broker took (or refused) the message of this number, and with `multiple` all before it that it has
    // not answered yet.
    virtual void confirmed(std::uint64_t number, bool multiple, bool taken) = 0;
    // The message led to no queue; its confirm comes all the same.
    virtual void returned(std::string_view message_id, std::string_view why) = 0;
};

class Session {
  public:
    // Connects, logs in, declares. Throws Failure as Link does.
    Session(const Broker &broker, const Settings &settings, std::string_view version,
            Resolver &resolver, const Patience &patience, plugin::TimePoint until);

    // Appends a message to what will be sent; its number is one more than that of the last one. Nothing: its
    // headers do not fit into a frame.
    std::optional<std::uint64_t> publish(const Message &message, bool mandatory);
    // Sends and receives what goes without waiting, and tells the listener. Throws ConnectionLost and
    // ChannelClosed.
    void exchange(Listener &listener);
    void wait(const Patience &patience, plugin::TimePoint until) { link_.wait(patience, until); }
    std::size_t backlog() const noexcept { return link_.backlog(); }

    // Opens the channel anew after ChannelClosed; numbers begin at 1 again. Throws Failure, ConnectionLost.
    void reopen(const Patience &patience, plugin::TimePoint until);

    // Asks for an answer and waits for it. With `publishing` it is asked through a message that leads to no
    // queue, since a broker that is short of memory or disk says so only to who publishes. Throws
    // ConnectionLost, ChannelClosed, Failure.
    void ping(bool publishing, const Patience &patience, plugin::TimePoint until);

    // Why the broker has stopped reading from us, if it has; and since when.
    const std::optional<std::string> &blocked() const noexcept { return blocked_; }
    plugin::TimePoint blocked_since() const noexcept { return blocked_since_; }

    const std::string &where() const noexcept { return where_; } // "host:port"
    const std::string &server() const noexcept { return link_.server(); }

    void close() noexcept { link_.close(); }
    void abandon() const noexcept { link_.abandon(); }

  private:
    void open_channel(const Patience &patience, plugin::TimePoint until);
    void declare(const Patience &patience, plugin::TimePoint until);
    void call(amqp_method_number_t number, const void *method, amqp_method_number_t answer,
              const Patience &patience, plugin::TimePoint until);
    void take(const amqp_frame_t &frame, Listener *listener);
    void take_return(const amqp_frame_t &frame, Listener *listener);

    const Settings &settings_;
    Link link_;
    std::string where_;
    std::uint64_t last_number_ = 0;
    std::optional<std::string> blocked_;
    plugin::TimePoint blocked_since_{};

    // A returned message comes as a method, a header and bodies.
    bool in_return_ = false;
    std::string return_reason_;
};

} // namespace pgat::rabbitmq
