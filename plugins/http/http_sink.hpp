// The http sink: takes what the schedule allows, sends it, and turns answers into verdicts.
//
// What one publish() is about (batch, outcomes, trouble) lives in its Delivery; what lasts from call to call
// (connections, exchanges, settings) lives here.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "http/client.hpp"
#include "http/exchange.hpp"
#include "http/gzip.hpp"
#include "http/settings.hpp"
#include "http/signature.hpp"
#include "pgat/sink.hpp"

namespace pgat::http {

struct Counters {
    explicit Counters(const plugin::Host &host);

    plugin::Counter requests;
    plugin::Counter request_bytes;
    plugin::Counter request_microseconds;
    plugin::Counter connections;
    plugin::Counter unanswered;
    plugin::Counter answers_2xx;
    plugin::Counter answers_3xx;
    plugin::Counter answers_4xx;
    plugin::Counter answers_5xx;
    plugin::Counter splits;

    void count(const Answer &answer) const noexcept;
};

class HttpSink {
  public:
    HttpSink(plugin::Host host, std::string_view config);

    void publish(const plugin::Batch &batch, plugin::Outcomes &outcomes);
    // Connects, with TLS where the URL has it, and sends nothing: whether the endpoint would take an
    // event cannot be told without one.
    void probe(plugin::TimePoint deadline);

  private:
    friend class Delivery;

    plugin::Host host_;
    Settings settings_;
    std::vector<std::string> secrets_; // what no message may show
    Counters counters_;
    Signer signer_;
    Gzip gzip_;
    std::vector<std::unique_ptr<Exchange>> exchanges_;
    Client client_; // after the exchanges: it lets go of them when it ends
};

} // namespace pgat::http
