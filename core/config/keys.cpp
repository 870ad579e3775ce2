#include "config/keys.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <set>

#include "config/secrets.hpp"
#include "config/values.hpp"

namespace pgat::config {

namespace {

constexpr std::int64_t day_in_seconds = 86400;
constexpr std::int64_t million = 1000000;
constexpr std::int64_t gigabyte = 1 << 30;

template <class Number>
Number number(const Node &node, std::int64_t least, std::int64_t most) {
    return static_cast<Number>(whole_number(node, least, most));
}

std::chrono::milliseconds milliseconds(const Node &node, std::int64_t least) {
    return std::chrono::milliseconds(whole_number(node, least, day_in_seconds * 1000));
}

std::chrono::seconds seconds(const Node &node, std::int64_t least) {
    return std::chrono::seconds(whole_number(node, least, day_in_seconds));
}

// A connection string is not shown: it may hold a password.
std::string connection_uri(const Node &node) {
    const std::string text = string(node);
    if (!text.empty() && !text.starts_with("postgres://") && !text.starts_with("postgresql://") &&
        text.find('=') == std::string::npos)
        throw BadValue(
            "must be postgres://user@host:port/database or a string of keyword=value pairs");
    return text;
}

const std::vector<std::string> &tls_modes() {
    static const std::vector<std::string> modes = {"disable", "allow",     "prefer",
                                                   "require", "verify-ca", "verify-full"};
    return modes;
}

// The type is a file's name in the plugin directory, and must not lead out of it.
std::string sink_type(const Node &node) {
    const std::string text = string(node);
    const bool good =
        !text.empty() && text.size() <= 32 && text.front() >= 'a' && text.front() <= 'z' &&
        text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    if (!good)
        throw BadValue(
            "must be the name of a plugin: a lower-case letter, then up to 31 lower-case "
            "letters, digits and underscores, is \"" +
            node.written + '"');
    return text;
}

std::vector<Key> stream_keys() {
    return {
        {"stream.id",
         [](Config &c, const Node &n) {
             c.stream.id = StreamId(whole_number(n, 0, std::numeric_limits<std::int64_t>::max()));
         }},
        {"stream.slot_name", [](Config &c, const Node &n) { c.stream.slot_name = slot_name(n); }},
        {"stream.batch.max_size",
         [](Config &c, const Node &n) {
             c.stream.batch.max_size = number<std::size_t>(n, 1, million);
         }},
        {"stream.batch.max_bytes",
         [](Config &c, const Node &n) {
             c.stream.batch.max_bytes = number<std::size_t>(n, 1, gigabyte);
         }},
        {"stream.batch.min_size",
         [](Config &c, const Node &n) {
             c.stream.batch.min_size = number<std::size_t>(n, 1, million);
         }},
        {"stream.batch.max_fill_secs",
         [](Config &c, const Node &n) { c.stream.batch.max_fill = seconds(n, 0); },
         "stream.batch.max_fill_ms"},
        {"stream.batch.max_fill_ms",
         [](Config &c, const Node &n) { c.stream.batch.max_fill = milliseconds(n, 0); },
         "stream.batch.max_fill_secs"},
        {"stream.retry.attempts",
         [](Config &c, const Node &n) {
             c.stream.retry.attempts = number<std::uint32_t>(n, 1, million);
         }},
        {"stream.retry.initial_backoff_ms",
         [](Config &c, const Node &n) { c.stream.retry.initial_backoff = milliseconds(n, 1); }},
        {"stream.retry.max_backoff_ms",
         [](Config &c, const Node &n) { c.stream.retry.max_backoff = milliseconds(n, 1); }},
        {"stream.retry.max_event_attempts",
         [](Config &c, const Node &n) {
             c.stream.retry.max_event_attempts = number<std::uint32_t>(n, 1, million);
         }},
        {"stream.on_rejected",
         [](Config &c, const Node &n) {
             c.stream.on_rejected = one_of(n, {"dead_letter", "block"}) == 0
                                        ? OnRejected::dead_letter
                                        : OnRejected::block;
         }},
        {"stream.max_consecutive_rejected",
         [](Config &c, const Node &n) {
             c.stream.max_consecutive_rejected = number<std::uint32_t>(n, 1, million);
         }},
        {"stream.group_key",
         [](Config &c, const Node &n) { c.stream.group_key = json_pointer(n); }},
        {"stream.partitions.days_ahead",
         [](Config &c, const Node &n) {
             c.stream.partitions.days_ahead = number<std::uint32_t>(n, 1, 365);
         }},
        {"stream.partitions.retention_days",
         [](Config &c, const Node &n) {
             c.stream.partitions.retention_days = number<std::uint32_t>(n, 1, 3650);
         }},
        {"stream.partitions.drop_undelivered",
         [](Config &c, const Node &n) { c.stream.partitions.drop_undelivered = true_or_false(n); }},
        {"stream.call_timeout_secs",
         [](Config &c, const Node &n) { c.stream.call_timeout = seconds(n, 1); }},
        {"stream.shutdown_timeout_secs",
         [](Config &c, const Node &n) { c.stream.shutdown_timeout = seconds(n, 1); }},
    };
}

std::vector<Key> connection_keys() {
    return {
        {"stream.pg_connection.uri",
         [](Config &c, const Node &n) { c.stream.pg_connection.uri = connection_uri(n); },
         "stream.pg_connection.uri_file"},
        {"stream.pg_connection.uri_file",
         [](Config &c, const Node &n) {
             Node content = n;
             content.text = read_secret(string(n));
             c.stream.pg_connection.uri = connection_uri(content);
         },
         "stream.pg_connection.uri"},
        {"stream.pg_connection.host",
         [](Config &c, const Node &n) { c.stream.pg_connection.host = string(n); }},
        {"stream.pg_connection.port",
         [](Config &c, const Node &n) {
             c.stream.pg_connection.port = number<std::uint16_t>(n, 1, 65535);
         }},
        {"stream.pg_connection.name",
         [](Config &c, const Node &n) { c.stream.pg_connection.name = string(n); }},
        {"stream.pg_connection.username",
         [](Config &c, const Node &n) { c.stream.pg_connection.username = string(n); }},
        {"stream.pg_connection.password",
         [](Config &c, const Node &n) { c.stream.pg_connection.password = string(n); },
         "stream.pg_connection.password_file"},
        {"stream.pg_connection.password_file",
         [](Config &c, const Node &n) { c.stream.pg_connection.password = read_secret(string(n)); },
         "stream.pg_connection.password"},
        {"stream.pg_connection.tls.enabled",
         [](Config &c, const Node &n) { c.stream.pg_connection.tls.enabled = true_or_false(n); }},
        {"stream.pg_connection.tls.mode",
         [](Config &c, const Node &n) {
             if (!n.text.empty())
                 c.stream.pg_connection.tls.mode = tls_modes()[one_of(n, tls_modes())];
         }},
        {"stream.pg_connection.tls.ca_file",
         [](Config &c, const Node &n) { c.stream.pg_connection.tls.ca_file = string(n); }},
        {"stream.pg_connection.tls.cert_file",
         [](Config &c, const Node &n) { c.stream.pg_connection.tls.cert_file = string(n); }},
        {"stream.pg_connection.tls.key_file",
         [](Config &c, const Node &n) { c.stream.pg_connection.tls.key_file = string(n); }},
    };
}

std::vector<Key> other_keys() {
    return {
        {"sink.type", [](Config &c, const Node &n) { c.sink.type = sink_type(n); }},
        {"plugins.directory", [](Config &c, const Node &n) { c.plugins.directories = strings(n); }},
        {"observability.listen",
         [](Config &c, const Node &n) { c.observability.listen = listen_address(n); }},
        {"observability.hosts",
         [](Config &c, const Node &n) { c.observability.hosts = strings(n); }},
        {"log.level",
         [](Config &c, const Node &n) {
             const std::vector<std::string> levels = {"trace", "debug", "info", "warn", "error"};
             c.log.level = levels[one_of(n, levels)];
         }},
        {"log.format",
         [](Config &c, const Node &n) {
             c.log.format = one_of(n, {"text", "json"}) == 0 ? LogFormat::text : LogFormat::json;
         }},
    };
}

} // namespace

const std::vector<Key> &keys() {
    static const std::vector<Key> all = [] {
        std::vector<Key> result = stream_keys();
        for (auto part : {connection_keys(), other_keys()})
            result.insert(result.end(), part.begin(), part.end());
        return result;
    }();
    return all;
}

const Key *find_key(const std::string &path) {
    for (const Key &key : keys())
        if (key.path == path) return &key;
    return nullptr;
}

bool is_section(const std::string &path) {
    return std::any_of(keys().begin(), keys().end(),
                       [&](const Key &key) { return key.path.starts_with(path + "."); });
}

std::vector<std::string> known_paths() {
    std::set<std::string> paths;
    for (const Key &key : keys())
        for (std::size_t end = 0; end != std::string::npos;) {
            end = key.path.find('.', end + 1);
            paths.insert(key.path.substr(0, end));
        }
    return {paths.begin(), paths.end()};
}

std::string variable_of(const std::string &path) {
    std::string name = "ASYNC_TRIGGERS_";
    for (const char c : path) {
        if (c == '.')
            name += "__";
        else
            name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return name;
}

} // namespace pgat::config
