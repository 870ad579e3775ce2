// What the sink counts. README.md lists it.
#pragma once

#include "pgat/sink.hpp"

namespace pgat::rabbitmq {

struct Metrics {
    explicit Metrics(const plugin::Host &host)
        : published(host.counter("published_total", "Messages sent, repeats included")),
          confirmed(host.counter("confirmed_total", "Messages that the broker took")),
          nacked(host.counter("nacked_total", "Messages that the broker refused")),
          returned(host.counter("returned_total", "Messages that led to no queue")),
          overtaken(host.counter("overtaken_total",
                                 "Messages taken before an earlier one of their key was")),
          connections(host.counter("connections_total", "Connections made")),
          reconnects(host.counter("reconnects_total", "Connections made after the first")),
          connection_failures(
              host.counter("connection_failures_total", "Attempts to connect that failed")),
          channel_closes(host.counter("channel_closes_total", "Channels closed by the broker")),
          blocked_milliseconds(host.counter("blocked_milliseconds_total",
                                            "Time that publishing waited for a blocking broker")) {}

    plugin::Counter published;
    plugin::Counter confirmed;
    plugin::Counter nacked;
    plugin::Counter returned;
    plugin::Counter overtaken;
    plugin::Counter connections;
    plugin::Counter reconnects;
    plugin::Counter connection_failures;
    plugin::Counter channel_closes;
    plugin::Counter blocked_milliseconds;
};

} // namespace pgat::rabbitmq
