#include "kafka/settings.hpp"

#include <unistd.h>

#include "kafka/properties.hpp"
#include "kafka/topic_name.hpp"

namespace pgat::kafka {

namespace {

using plugin::Failure;
using plugin::Host;
using plugin::Json;
using plugin::Template;

[[noreturn]] void refuse(const std::string &why) { throw Failure(PGAT_E_CONFIG, why); }

std::string read_brokers(const Host &host, std::string_view config) {
    const Json found = host.find(config, "/brokers");
    if (found.kind != PGAT_JSON_ARRAY) return std::string(found.text);
    std::string list;
    host.each(config, "/brokers", [&](std::string_view, Json one) {
        if (!list.empty()) list += ',';
        list += one.text;
    });
    return list;
}

std::vector<Header> read_headers(const Host &host, std::string_view config,
                                 const std::string &id_header) {
    std::vector<std::pair<std::string, std::string>> raw;
    host.each(config, "/headers",
              [&](std::string_view name, Json value) { raw.emplace_back(name, value.text); });
    std::vector<Header> headers;
    for (const auto &[name, value] : raw) {
        if (name.empty()) refuse("headers: a header needs a name");
        if (name == id_header)
            refuse("headers." + name +
                   " carries the event's id: remove it, or give id_header another name");
        if (plugin::has_control_character(value))
            refuse("headers." + name + " holds a control character");
        headers.push_back({name, Template(value, "headers." + name)});
    }
    constexpr std::size_t most = 50;
    if (headers.size() > most)
        refuse("headers: " + std::to_string(headers.size()) + " of them; at most " +
               std::to_string(most) + " are possible");
    return headers;
}

std::string readable_file(const Host &host, std::string_view config, const std::string &option) {
    std::string file = host.text(config, "/tls/" + option).value_or("");
    if (!file.empty() && ::access(file.c_str(), R_OK) != 0)
        refuse("tls." + option + ": cannot read " + file);
    return file;
}

void add_if_set(Properties &out, const char *name, std::string value) {
    if (!value.empty()) out.emplace_back(name, std::move(value));
}

// True: the connection is to be encrypted.
bool add_tls(const Host &host, std::string_view config, Properties &out,
             std::vector<std::string> &warnings) {
    const bool there = host.find(config, "/tls").kind == PGAT_JSON_OBJECT;
    if (!there || !host.boolean(config, "/tls/enabled").value_or(true)) return false;
    const std::string certificate = readable_file(host, config, "cert_file");
    const std::string key = readable_file(host, config, "key_file");
    if (!key.empty() && certificate.empty())
        refuse("tls.key_file is the key of a certificate: set tls.cert_file too");
    if (!certificate.empty() && key.empty())
        refuse("tls.cert_file needs its key: set tls.key_file too");
    add_if_set(out, "ssl.ca.location", readable_file(host, config, "ca_file"));
    add_if_set(out, "ssl.certificate.location", certificate);
    add_if_set(out, "ssl.key.location", key);
    add_if_set(out, "ssl.key.password", host.text(config, "/tls/key_password").value_or(""));
    const bool verify = host.boolean(config, "/tls/verify").value_or(true);
    out.emplace_back("enable.ssl.certificate.verification", verify ? "true" : "false");
    out.emplace_back("ssl.endpoint.identification.algorithm", verify ? "https" : "none");
    if (!verify)
        warnings.emplace_back("tls.verify is false: anybody on the way can pose as a broker");
    return true;
}

bool add_sasl(const Host &host, std::string_view config, Properties &out) {
    if (host.find(config, "/sasl").kind != PGAT_JSON_OBJECT) return false;
    const std::string mechanism = host.text(config, "/sasl/mechanism").value_or("PLAIN");
    const std::string username = host.text(config, "/sasl/username").value_or("");
    const std::string password = host.text(config, "/sasl/password").value_or("");
    const bool by_password = mechanism == "PLAIN" || mechanism.compare(0, 5, "SCRAM") == 0;
    if (by_password && (username.empty() || password.empty()))
        refuse("sasl.mechanism " + mechanism +
               " needs sasl.username and sasl.password (or sasl.password_file)");
    out.emplace_back("sasl.mechanisms", mechanism);
    add_if_set(out, "sasl.username", username);
    add_if_set(out, "sasl.password", password);
    return true;
}

Refusal read_refusal(const Host &host, std::string_view config, std::string_view pointer,
                     Refusal otherwise) {
    const auto text = host.text(config, pointer);
    if (!text) return otherwise;
    return *text == "unavailable" ? Refusal::unavailable : Refusal::reject;
}

Properties own_properties(const Settings &settings) {
    const auto milliseconds = settings.timeout.count();
    return {
        {"bootstrap.servers", settings.brokers},
        {"client.id", "postgres-async-triggers"},
        {"enable.idempotence", "true"},
        // A message that fails stops the producer, so that none behind it in its partition overtakes it.
        {"enable.gapless.guarantee", "true"},
        {"acks", "all"},
        {"partitioner", "murmur2_random"},
        // Messages never expire inside librdkafka: that would let later ones of the partition go ahead.
        {"message.timeout.ms", "0"},
        {"socket.timeout.ms", std::to_string(milliseconds)},
        {"request.timeout.ms", std::to_string(milliseconds * 2 / 3)},
        {"reconnect.backoff.max.ms", "1000"},
        {"socket.keepalive.enable", "true"},
        {"topic.metadata.propagation.max.ms", "5000"},
        {"statistics.interval.ms", "5000"},
        {"linger.ms", "1"},
    };
}

} // namespace

Settings read_settings(const Host &host, std::string_view config) {
    Settings settings(Template(host.text(config, "/topic").value_or(""), "topic"));
    settings.brokers = read_brokers(host, config);
    settings.topic_default = host.text(config, "/topic_default");
    const bool fixed = settings.topic.constant();
    const std::string name(fixed ? settings.topic.prefix()
                                 : std::string_view(settings.topic_default.value_or("x")));
    if (!is_topic_name(name))
        refuse(std::string(fixed ? "topic" : "topic_default") + ": \"" + name +
               "\" cannot be a topic: letters, digits, '.', '_' and '-', at most 249 of them");
    if (fixed && settings.topic_default)
        refuse("topic_default is for a topic with placeholders: remove it");
    if (const auto key = host.text(config, "/key")) settings.key.emplace(*key, "key");
    settings.key_default = host.text(config, "/key_default");
    if (settings.key_default && (!settings.key || settings.key->constant()))
        refuse("key_default is for a key with placeholders: remove it");
    settings.id_header = host.text(config, "/id_header").value_or("id");
    settings.headers = read_headers(host, config, settings.id_header);
    settings.header_default = host.text(config, "/header_default");
    settings.timeout =
        std::chrono::milliseconds(host.integer(config, "/timeout_ms").value_or(15000));
    settings.on_too_large = read_refusal(host, config, "/on_too_large", Refusal::reject);
    // A fixed topic that is gone is trouble with the cluster, and no event's fault.
    settings.on_unknown_topic = read_refusal(host, config, "/on_unknown_topic",
                                             fixed ? Refusal::unavailable : Refusal::reject);

    settings.properties = own_properties(settings);
    const bool tls = add_tls(host, config, settings.properties, settings.warnings);
    const bool sasl = add_sasl(host, config, settings.properties);
    settings.properties.emplace_back("security.protocol", tls && sasl ? "sasl_ssl"
                                                          : tls       ? "ssl"
                                                          : sasl      ? "sasl_plaintext"
                                                                      : "plaintext");
    if (sasl && !tls)
        settings.warnings.emplace_back(
            "sasl without tls: the password can be read on the way to the brokers");
    add_user_properties(host, config, settings);
    return settings;
}

} // namespace pgat::kafka
