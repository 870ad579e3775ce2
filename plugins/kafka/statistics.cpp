#include "kafka/statistics.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace pgat::kafka {

namespace {

using plugin::Counter;
using plugin::Host;
using plugin::Json;

std::uint64_t number(const Host &host, std::string_view document, std::string_view pointer) {
    const std::string_view text = host.find(document, pointer).text;
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

} // namespace

Statistics::Statistics(const Host &host)
    : host_(host), requests_(host.counter("requests_total", "Requests sent to brokers")),
      bytes_(host.counter("request_bytes_total", "Bytes sent to brokers")),
      errors_(host.counter("request_errors_total", "Requests that could not be sent")),
      retries_(host.counter("request_retries_total", "Requests sent again")),
      timeouts_(host.counter("request_timeouts_total", "Requests that got no answer in time")),
      connections_(host.counter("connections_total", "Attempts to connect to a broker")),
      disconnections_(host.counter("disconnections_total", "Connections to brokers that ended")),
      queued_(host.gauge("queued_messages", "Messages in librdkafka's hands, not yet confirmed")),
      queued_bytes_(host.gauge("queued_bytes", "Bytes of these messages")),
      round_trip_(host.gauge("round_trip_p99_seconds",
                             "99th percentile of the time a broker takes to answer, "
                             "of the slowest broker")),
      throttled_(host.gauge("throttled_seconds",
                            "Mean time for which a broker held back its answers to slow us "
                            "down, of the one that did most")) {}

void Statistics::read(std::string_view json) {
    std::vector<std::string> brokers;
    host_.each(json, "/brokers",
               [&](std::string_view, Json broker) { brokers.emplace_back(broker.text); });
    queued_.set(static_cast<double>(number(host_, json, "/msg_cnt")));
    queued_bytes_.set(static_cast<double>(number(host_, json, "/msg_size")));
    std::uint64_t round_trip = 0; // microseconds
    std::uint64_t throttled = 0;  // milliseconds
    Counts now;
    for (const std::string &broker : brokers) {
        now.requests += number(host_, broker, "/tx");
        now.bytes += number(host_, broker, "/txbytes");
        now.errors += number(host_, broker, "/txerrs");
        now.retries += number(host_, broker, "/txretries");
        now.timeouts += number(host_, broker, "/req_timeouts");
        now.connections += number(host_, broker, "/connects");
        now.disconnections += number(host_, broker, "/disconnects");
        round_trip = std::max(round_trip, number(host_, broker, "/rtt/p99"));
        throttled = std::max(throttled, number(host_, broker, "/throttle/avg"));
    }
    round_trip_.set(static_cast<double>(round_trip) / 1e6);
    throttled_.set(static_cast<double>(throttled) / 1e3);
    add(requests_, before_.requests, now.requests);
    add(bytes_, before_.bytes, now.bytes);
    add(errors_, before_.errors, now.errors);
    add(retries_, before_.retries, now.retries);
    add(timeouts_, before_.timeouts, now.timeouts);
    add(connections_, before_.connections, now.connections);
    add(disconnections_, before_.disconnections, now.disconnections);
}

// A broker that left takes its counts with it, so the sum may go down.
void Statistics::add(const Counter &counter, std::uint64_t &before, std::uint64_t now) {
    if (now > before) counter.add(now - before);
    before = now;
}

} // namespace pgat::kafka
