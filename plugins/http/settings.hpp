// The http sink's configuration as plain values. Holds secrets (headers, keys, parts of the URL): what may
// be shown of it is `host` alone.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pgat/sink.hpp"
#include "pgat/template.hpp"

namespace pgat::http {

enum class Mode { event, array, ndjson };
enum class Format { payload, cloudevents };

struct Header {
    std::string name;
    plugin::Template value;
};

struct Tls {
    std::string ca_file;
    std::string cert_file;
    std::string key_file;
    bool verify = true;
};

struct Settings {
    explicit Settings(plugin::Template where_to) : url(std::move(where_to)) {}

    plugin::Template url;
    std::string origin; // scheme://host:port, to connect to
    std::string host;   // host:port, for messages
    bool https = false;
    std::string method = "POST";
    std::vector<Header> headers;
    std::chrono::milliseconds timeout{15000};
    Tls tls;
    Mode mode = Mode::event;
    Format format = Format::payload;
    std::optional<plugin::Template> event_source;
    std::optional<plugin::Template> event_type;
    unsigned concurrency = 8;
    bool gzip = false;
    std::vector<std::string> signing_keys; // raw bytes
    std::vector<long> rejected_statuses{400, 413, 422};

    // Whether every event goes to the same URL with the same headers.
    bool same_target_for_all() const noexcept;
};

// Reads what has passed the schema. Throws Failure(PGAT_E_CONFIG) for what a schema cannot see.
Settings read_settings(const plugin::Host &host, std::string_view config);

} // namespace pgat::http
