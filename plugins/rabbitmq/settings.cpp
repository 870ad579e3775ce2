#include "rabbitmq/settings.hpp"

#include <algorithm>

#include <unistd.h>

#include "rabbitmq/uri.hpp"

namespace pgat::rabbitmq {

namespace {

using plugin::Failure;
using plugin::Host;
using plugin::Json;
using plugin::Template;

[[noreturn]] void refuse(const std::string &why) { throw Failure(PGAT_E_CONFIG, why); }

std::vector<std::string> texts(const Host &host, std::string_view config,
                               std::string_view pointer) {
    std::vector<std::string> out;
    const Json found = host.find(config, pointer);
    if (found.kind == PGAT_JSON_ARRAY) {
        host.each(config, pointer, [&](std::string_view, Json one) { out.emplace_back(one.text); });
    } else if (found.present()) {
        out.emplace_back(found.text);
    }
    return out;
}

std::vector<Broker> read_brokers(const Host &host, std::string_view config) {
    const std::vector<std::string> uris = texts(host, config, "/uri");
    const bool tls = host.boolean(config, "/tls/enabled").value_or(false);
    if (!uris.empty()) {
        for (const char *const option : {"hosts", "username", "password", "vhost"})
            if (host.find(config, std::string("/") + option).present())
                refuse(std::string(option) + " cannot stand beside uri, which says it already");
        std::vector<Broker> brokers;
        for (const std::string &uri : uris)
            for (Broker &broker : read_uri(uri))
                brokers.push_back(std::move(broker));
        if (tls && std::any_of(brokers.begin(), brokers.end(),
                               [](const Broker &broker) { return !broker.tls; }))
            refuse("tls.enabled contradicts a uri that begins with amqp://: write amqps://");
        return brokers;
    }
    Broker common;
    common.tls = tls;
    common.username = host.text(config, "/username").value_or(common.username);
    common.password = host.text(config, "/password").value_or(common.password);
    common.vhost = host.text(config, "/vhost").value_or(common.vhost);
    std::vector<std::string> hosts = texts(host, config, "/hosts");
    if (hosts.empty()) hosts.emplace_back("localhost");
    std::vector<Broker> brokers;
    for (const std::string &one : hosts) {
        read_host(one, "hosts", common);
        brokers.push_back(common);
    }
    return brokers;
}

std::string readable_file(const Host &host, std::string_view config, const std::string &option) {
    std::string file = host.text(config, "/tls/" + option).value_or("");
    if (!file.empty() && ::access(file.c_str(), R_OK) != 0)
        refuse("tls." + option + ": cannot read " + file);
    return file;
}

Tls read_tls(const Host &host, std::string_view config) {
    Tls tls;
    tls.ca_file = readable_file(host, config, "ca_file");
    tls.cert_file = readable_file(host, config, "cert_file");
    tls.key_file = readable_file(host, config, "key_file");
    tls.verify = host.boolean(config, "/tls/verify").value_or(true);
    tls.server_name = host.text(config, "/tls/server_name").value_or("");
    if (tls.cert_file.empty() != tls.key_file.empty())
        refuse("tls.cert_file and tls.key_file belong together: set both");
    return tls;
}

Route read_route(const Host &host, std::string_view config, const std::string &option) {
    Route route{Template(host.text(config, "/" + option).value_or(""), option),
                host.text(config, "/" + option + "_default")};
    if (route.text.constant() && route.fallback)
        refuse(option + "_default has no use: " + option + " has no placeholder");
    if (route.text.constant() && route.text.prefix().size() > 255)
        refuse(option + " is longer than the 255 bytes that AMQP allows");
    return route;
}

Scalar scalar(const Json &value) {
    if (value.kind == PGAT_JSON_BOOL) return value.text == "true";
    if (value.kind == PGAT_JSON_NUMBER)
        return static_cast<std::int64_t>(std::stoll(std::string(value.text)));
    return std::string(value.text);
}

Arguments read_arguments(const Host &host, std::string_view config, const std::string &pointer) {
    Arguments arguments;
    host.each(config, pointer, [&](std::string_view name, Json value) {
        if (name.empty() || name.size() > 128)
            refuse(pointer.substr(1) + " has a name that is not of 1 to 128 bytes");
        arguments.emplace_back(name, scalar(value));
    });
    return arguments;
}

std::vector<Header> read_headers(const Host &host, std::string_view config) {
    std::vector<Header> headers;
    for (auto &[name, value] : read_arguments(host, config, "/headers")) {
        if (const auto *const text = std::get_if<std::string>(&value)) {
            headers.push_back({name, Template(*text, "headers." + name)});
        } else if (const auto *const number = std::get_if<std::int64_t>(&value)) {
            headers.push_back({name, *number});
        } else {
            headers.push_back({name, std::get<bool>(value)});
        }
    }
    return headers;
}

Properties read_properties(const Host &host, std::string_view config) {
    Properties properties;
    const auto text = [&](const char *option, const char *otherwise) {
        return host.text(config, std::string("/properties/") + option).value_or(otherwise);
    };
    const auto filled_in = [&](const char *option) -> std::optional<Template> {
        const auto found = host.text(config, std::string("/properties/") + option);
        if (!found) return std::nullopt;
        return Template(*found, std::string("properties.") + option);
    };
    properties.content_type = text("content_type", "application/json");
    properties.content_encoding = text("content_encoding", "");
    properties.app_id = text("app_id", "postgres-async-triggers");
    properties.reply_to = text("reply_to", "");
    properties.type = filled_in("type");
    properties.correlation_id = filled_in("correlation_id");
    if (const auto priority = host.integer(config, "/properties/priority"))
        properties.priority = static_cast<std::uint8_t>(*priority);
    if (const auto expiration = host.integer(config, "/properties/expiration_ms"))
        properties.expiration = std::to_string(*expiration);
    properties.persistent = host.boolean(config, "/properties/persistent").value_or(true);
    return properties;
}

void read_declarations(const Host &host, std::string_view config, Settings &settings) {
    if (const auto type = host.text(config, "/declare/exchange/type")) {
        if (!settings.exchange.text.constant() || settings.exchange.text.prefix().empty())
            refuse("declare.exchange needs an exchange with a fixed name");
        settings.declared_exchange = DeclaredExchange{
            *type, host.boolean(config, "/declare/exchange/durable").value_or(true),
            read_arguments(host, config, "/declare/exchange/arguments")};
    }
    const std::size_t count = texts(host, config, "/declare/queues").size();
    for (std::size_t i = 0; i < count; ++i) {
        const std::string at = "/declare/queues/" + std::to_string(i);
        DeclaredQueue queue{host.text(config, at + "/name").value_or(""),
                            host.boolean(config, at + "/durable").value_or(true),
                            texts(host, config, at + "/routing_keys"),
                            read_arguments(host, config, at + "/arguments")};
        if (const auto type = host.text(config, at + "/type"))
            queue.arguments.emplace_back("x-queue-type", *type);
        const bool bindable =
            settings.exchange.text.constant() && !settings.exchange.text.prefix().empty();
        if (!queue.routing_keys.empty() && !bindable)
            refuse("declare.queues: routing_keys need an exchange with a fixed name; the default "
                   "exchange leads to each queue by its name");
        settings.declared_queues.push_back(std::move(queue));
    }
}

} // namespace

Settings read_settings(const Host &host, std::string_view config) {
    Settings settings(read_route(host, config, "exchange"),
                      read_route(host, config, "routing_key"));
    settings.brokers = read_brokers(host, config);
    settings.tls = read_tls(host, config);
    settings.sasl_external = host.text(config, "/sasl").value_or("plain") == "external";
    if (settings.sasl_external && settings.tls.cert_file.empty())
        refuse("sasl: external logs in with a client certificate: set tls.cert_file and "
               "tls.key_file");
    settings.connection_name =
        host.text(config, "/connection_name").value_or("postgres-async-triggers");
    settings.headers = read_headers(host, config);
    settings.omit_missing_headers =
        host.text(config, "/missing_headers").value_or("reject") == "omit";
    settings.properties = read_properties(host, config);
    settings.mandatory = host.boolean(config, "/mandatory").value_or(true);
    settings.reject_unroutable = host.text(config, "/on_unroutable").value_or("retry") == "reject";
    settings.confirm_window =
        static_cast<std::uint32_t>(host.integer(config, "/confirm_window").value_or(1000));
    settings.strict_order = host.boolean(config, "/strict_order").value_or(false);
    const auto milliseconds = [&](const char *option, std::int64_t otherwise) {
        return std::chrono::milliseconds(host.integer(config, option).value_or(otherwise));
    };
    settings.connect_timeout = milliseconds("/connect_timeout_ms", 5000);
    settings.confirm_timeout = milliseconds("/confirm_timeout_ms", 30000);
    settings.blocked_timeout = milliseconds("/blocked_timeout_ms", 10000);
    settings.heartbeat = std::chrono::seconds(host.integer(config, "/heartbeat_secs").value_or(30));
    read_declarations(host, config, settings);
    return settings;
}

} // namespace pgat::rabbitmq
