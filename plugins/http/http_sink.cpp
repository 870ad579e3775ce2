#include "http/http_sink.hpp"

#include <algorithm>

#include "http/delivery.hpp"

namespace pgat::http {

namespace {

using plugin::Failure;
using plugin::Host;
using plugin::TimePoint;
using std::chrono::milliseconds;

// How often is_cancelled is asked where there is no descriptor to wait for.
constexpr milliseconds look_again{100};

// Header values that are not words everybody knows, and keys: an endpoint may echo what it got.
std::vector<std::string> secrets_of(const Settings &settings) {
    constexpr std::size_t too_short = 6;
    std::vector<std::string> secrets;
    for (const Header &header : settings.headers)
        if (header.value.prefix().size() >= too_short) secrets.emplace_back(header.value.prefix());
    return secrets;
}

} // namespace

Counters::Counters(const Host &host)
    : requests(host.counter("requests_total", "Requests sent")),
      request_bytes(host.counter("request_bytes_total", "Bytes of request bodies, as sent")),
      request_microseconds(host.counter("request_microseconds_total", "Time that requests took")),
      connections(host.counter("connections_total", "Connections made")),
      unanswered(host.counter("unanswered_total", "Requests that got no answer")),
      answers_2xx(host.counter("answers_2xx_total", "Answers with a status of 200 to 299")),
      answers_3xx(host.counter("answers_3xx_total", "Answers with a status of 300 to 399")),
      answers_4xx(host.counter("answers_4xx_total", "Answers with a status of 400 to 499")),
      answers_5xx(host.counter("answers_5xx_total", "Answers with a status of 500 to 599")),
      splits(host.counter("splits_total", "Requests of many events that were refused and halved")) {
}

void Counters::count(const Answer &answer) const noexcept {
    request_microseconds.add(static_cast<std::uint64_t>(answer.took.count()));
    if (answer.new_connection) connections.add();
    if (answer.status == 0) unanswered.add();
    if (answer.status >= 200 && answer.status < 300) answers_2xx.add();
    if (answer.status >= 300 && answer.status < 400) answers_3xx.add();
    if (answer.status >= 400 && answer.status < 500) answers_4xx.add();
    if (answer.status >= 500) answers_5xx.add();
}

HttpSink::HttpSink(Host host, std::string_view config)
    : host_(host), settings_(read_settings(host, config)), secrets_(secrets_of(settings_)),
      counters_(host), signer_(settings_.signing_keys), client_(settings_.concurrency) {
    for (unsigned i = 0; i < settings_.concurrency; ++i)
        exchanges_.push_back(std::make_unique<Exchange>(settings_, host.version()));
    if (settings_.https && !settings_.tls.verify)
        host_.warn("tls.verify is false: anybody on the way can pose as " + settings_.host);
}

void HttpSink::publish(const plugin::Batch &batch, plugin::Outcomes &outcomes) {
    Delivery(*this, batch, outcomes).run();
}

void HttpSink::probe(TimePoint deadline) {
    const Easy easy = make_easy(settings_, host_.version());
    set_option(easy.get(), CURLOPT_URL, settings_.origin.c_str());
    set_option(easy.get(), CURLOPT_CONNECT_ONLY, 1L);
    Client client(1);
    client.start(easy.get());
    while (client.in_flight() > 0) {
        const auto left =
            std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left <= milliseconds::zero())
            throw Failure(PGAT_E_UNAVAILABLE, settings_.host + ": no connection in time");
        if (host_.cancelled()) throw Failure(PGAT_E_CANCELLED, "stopped while connecting");
        for (const Client::Done &done : client.run(-1, std::min(left, look_again)))
            if (done.code != CURLE_OK)
                throw Failure(PGAT_E_UNAVAILABLE,
                              settings_.host + ": " + curl_easy_strerror(done.code));
    }
}

} // namespace pgat::http
