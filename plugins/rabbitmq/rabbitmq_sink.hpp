// The rabbitmq sink: keeps a session with one of the brokers and publishes each batch over it.
//
// What one publish() is about lives in its Delivery; what lasts from call to call lives here.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "pgat/sink.hpp"
#include "rabbitmq/message.hpp"
#include "rabbitmq/metrics.hpp"
#include "rabbitmq/resolver.hpp"
#include "rabbitmq/session.hpp"
#include "rabbitmq/settings.hpp"
#include "rabbitmq/slow_start.hpp"

namespace pgat::rabbitmq {

class RabbitmqSink {
  public:
    RabbitmqSink(plugin::Host host, std::string_view config);
    ~RabbitmqSink();
    RabbitmqSink(const RabbitmqSink &) = delete;
    RabbitmqSink &operator=(const RabbitmqSink &) = delete;

    void publish(const plugin::Batch &batch, plugin::Outcomes &outcomes);
    // Connects where there is no connection, and asks the broker for an answer where there is one: a dead one
    // is found while idle, not by the next event.
    void probe(plugin::TimePoint deadline);

  private:
    friend class Delivery;

    // Makes a session with the next broker that takes one. Throws Failure.
    void connect(const Patience &patience);
    // Ends it; what was not confirmed will not arrive later, as far as that is in our hands.
    void drop_session(std::string_view why);

    plugin::Host host_;
    const Settings settings_;
    Metrics metrics_;
    Resolver resolver_;
    MessageWriter messages_;
    SlowStart window_;
    std::unique_ptr<Session> session_;
    std::size_t next_broker_ = 0;
    bool connected_before_ = false;
    bool was_blocked_ = false; // the last session ended so: ask before saying that all is well
};

} // namespace pgat::rabbitmq
