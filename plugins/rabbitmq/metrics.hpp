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
                                            "Time that publishing waited for a blocking broker")),
          in_flight(host.gauge("in_flight", "Messages that wait for the broker's confirm")),
          window(host.gauge("confirm_window", "Most messages that may wait at the moment")),
          blocked(host.gauge("blocked", "1 while the broker blocks us")),
          connected(host.gauge("connected", "1 while there is a connection")) {}

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
    plugin::Gauge in_flight;
    plugin::Gauge window;
    plugin::Gauge blocked;
    plugin::Gauge connected;
};

} // namespace pgat::rabbitmq
