// The whole configuration as plain values, each with the default that config.example.yaml documents.
// Filled in by load(); carries no behaviour. Strings that hold secrets are never logged or shown.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/identifiers.hpp"

namespace pgat::config {

struct Tls {
    bool enabled = false; // false: libpq's "prefer"; true: "verify-full", unless mode is set
    std::string mode;     // libpq's sslmode, wins over enabled
    std::string ca_file;
    std::string cert_file;
    std::string key_file;
};

// How to reach Postgres. What is empty is left to libpq: its environment, service and password files.
struct PgConnection {
    std::string uri; // postgres://… or keywords and values; members that are set win over it
    std::string host;
    std::optional<std::uint16_t> port;
    std::string name;
    std::string username;
    std::string password;
    Tls tls;
};

struct Batch {
    std::size_t max_size = 1000;
    std::size_t max_bytes = 8388608;
    std::size_t min_size = 1;
    std::chrono::milliseconds max_fill = std::chrono::seconds(5); // max_fill_secs or max_fill_ms
};

struct Retry {
    std::uint32_t attempts = 3;
    std::chrono::milliseconds initial_backoff{100};
    std::chrono::milliseconds max_backoff{30000};
    std::uint32_t max_event_attempts = 20;
};

enum class OnRejected { dead_letter, block };

struct Partitions {
    std::uint32_t days_ahead = 3;
    std::uint32_t retention_days = 7;
    bool drop_undelivered = false;
};

struct Stream {
    StreamId id{1};
    std::string slot_name; // default async_triggers_stream_<id>
    PgConnection pg_connection;
    Batch batch;
    Retry retry;
    OnRejected on_rejected = OnRejected::dead_letter;
    std::uint32_t max_consecutive_rejected = 100;
    std::string group_key; // JSON pointer into the payload; empty: the whole stream is one key
    Partitions partitions;
    std::chrono::seconds call_timeout{60}; // deadline of one call of the sink
    std::chrono::seconds shutdown_timeout{10};
};

using Places = std::map<std::string, std::string>;

struct Sink {
    std::string type = "memory";
    // Everything else under `sink`, secrets resolved: the plugin's configuration, an object.
    nlohmann::json settings = nlohmann::json::object();
    // Where each key was written, for messages: "sink.url" → "config.yaml:14"; "sink" for the whole.
    Places places;
};

struct Plugins {
    std::vector<std::string> directories; // empty: found beside the binary, else the packaged one
};

struct Observability {
    std::string listen = "127.0.0.1:9464";
    std::vector<std::string> hosts;
};

enum class LogFormat { text, json };

struct Log {
    std::string level = "info"; // trace, debug, info, warn, error
    LogFormat format = LogFormat::text;
};

struct Config {
    std::string file; // where it was read, for messages
    Stream stream;
    Sink sink;
    Plugins plugins;
    Observability observability;
    Log log;
};

} // namespace pgat::config
