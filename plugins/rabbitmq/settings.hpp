// The rabbitmq sink's configuration as plain values. Holds secrets (password, parts of a URI): what may be
// shown of it are hosts, vhost and user.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pgat/sink.hpp"
#include "pgat/template.hpp"

namespace pgat::rabbitmq {

// One broker to try, and who we are there.
struct Broker {
    std::string host;
    std::uint16_t port = 5672;
    std::string username = "guest";
    std::string password = "guest";
    std::string vhost = "/";
    bool tls = false;

    std::string name() const { return host + ":" + std::to_string(port); }
};

struct Tls {
    std::string ca_file;
    std::string cert_file;
    std::string key_file;
    std::string server_name; // to look for in the certificate; empty: the broker's host
    bool verify = true;
};

// What AMQP tables hold.
using Scalar = std::variant<std::string, std::int64_t, bool>;
using Arguments = std::vector<std::pair<std::string, Scalar>>;

// A header, filled in for each event where it is a text.
struct Header {
    std::string name;
    std::variant<plugin::Template, std::int64_t, bool> value;
};

// Where an event goes: a text to fill in, and what to take where a part of it is missing.
struct Route {
    plugin::Template text;
    std::optional<std::string> fallback;
};

struct Properties {
    std::string content_type = "application/json";
    std::string content_encoding;
    std::optional<plugin::Template> type;
    std::string app_id;
    std::optional<plugin::Template> correlation_id;
    std::string reply_to;
    std::optional<std::uint8_t> priority;
    std::string expiration; // milliseconds, in AMQP's spelling
    bool persistent = true;
};

struct DeclaredQueue {
    std::string name;
    bool durable = true;
    std::vector<std::string> routing_keys;
    Arguments arguments;
};

struct DeclaredExchange {
    std::string type;
    bool durable = true;
    Arguments arguments;
};

struct Settings {
    Settings(Route to_exchange, Route by_key)
        : exchange(std::move(to_exchange)), routing_key(std::move(by_key)) {}

    std::vector<Broker> brokers; // at least one; tried in turn
    Tls tls;
    bool sasl_external = false;
    std::string connection_name;

    Route exchange;
    Route routing_key;
    std::vector<Header> headers;
    bool omit_missing_headers = false;
    Properties properties;
    bool mandatory = true;
    bool reject_unroutable = false;

    std::uint32_t confirm_window = 1000;
    bool strict_order = false;
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds confirm_timeout{30000};
    std::chrono::milliseconds blocked_timeout{10000};
    std::chrono::seconds heartbeat{30};

    std::optional<DeclaredExchange> declared_exchange;
    std::vector<DeclaredQueue> declared_queues;
};

// Reads what has passed the schema. Throws Failure(PGAT_E_CONFIG) for what a schema cannot see.
Settings read_settings(const plugin::Host &host, std::string_view config);

} // namespace pgat::rabbitmq
