#include "http/settings.hpp"

#include <algorithm>
#include <cctype>

#include <unistd.h>

#include "http/signature.hpp"
#include "http/url.hpp"

namespace pgat::http {

namespace {

using plugin::Failure;
using plugin::Host;
using plugin::Json;
using plugin::Template;

std::string lower(std::string_view text) {
    std::string out(text);
    for (char &c : out)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

[[noreturn]] void refuse(const std::string &why) { throw Failure(PGAT_E_CONFIG, why); }

// RFC 9110's token.
bool is_header_name(std::string_view name) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               others.find(c) != std::string_view::npos;
    });
}

void check_header_name(const std::string &name) {
    if (!is_header_name(name)) refuse("headers: \"" + name + "\" is not a header's name");
    constexpr std::string_view ours[] = {
        "webhook-id",       "webhook-timestamp", "webhook-signature", "content-length",
        "content-encoding", "transfer-encoding", "connection",        "expect"};
    const std::string small = lower(name);
    if (std::find(std::begin(ours), std::end(ours), small) != std::end(ours))
        refuse("headers." + name + " is set by the sink itself: remove it");
}

std::vector<Header> read_headers(const Host &host, std::string_view config) {
    std::vector<std::pair<std::string, std::string>> raw;
    host.each(config, "/headers",
              [&](std::string_view name, Json value) { raw.emplace_back(name, value.text); });
    std::vector<Header> headers;
    for (const auto &[name, value] : raw) {
        check_header_name(name);
        if (plugin::has_control_character(value))
            refuse("headers." + name + " holds a control character");
        headers.push_back({name, Template(value, "headers." + name)});
    }
    return headers;
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
    if (!tls.key_file.empty() && tls.cert_file.empty())
        refuse("tls.key_file is the key of a certificate: set tls.cert_file too");
    return tls;
}

std::vector<std::string> read_keys(const Host &host, std::string_view config) {
    std::vector<std::string> secrets;
    const Json found = host.find(config, "/signing_secret");
    if (found.kind == PGAT_JSON_ARRAY) {
        host.each(config, "/signing_secret",
                  [&](std::string_view, Json one) { secrets.emplace_back(one.text); });
    } else if (found.present()) {
        secrets.emplace_back(found.text);
    }
    std::vector<std::string> keys;
    for (const std::string &secret : secrets) {
        std::vector<std::string> parsed = parse_signing_secrets(secret);
        std::move(parsed.begin(), parsed.end(), std::back_inserter(keys));
    }
    if (found.present() && keys.empty()) refuse("signing_secret is blank");
    return keys;
}

std::optional<Template> read_template(const Host &host, std::string_view config,
                                      std::string_view pointer, std::string_view where) {
    const std::optional<std::string> text = host.text(config, pointer);
    return text ? std::optional<Template>(Template(*text, where)) : std::nullopt;
}

Mode read_mode(const std::string &text) {
    return text == "array" ? Mode::array : text == "ndjson" ? Mode::ndjson : Mode::event;
}

} // namespace

bool Settings::same_target_for_all() const noexcept {
    return url.constant() && std::all_of(headers.begin(), headers.end(),
                                         [](const Header &h) { return h.value.constant(); });
}

Settings read_settings(const Host &host, std::string_view config) {
    Settings settings(Template(host.text(config, "/url").value_or(""), "url"));
    const Origin origin = read_origin(settings.url);
    settings.origin = origin.url;
    settings.host = origin.host;
    settings.https = origin.https;
    settings.method = host.text(config, "/method").value_or("POST");
    settings.headers = read_headers(host, config);
    settings.timeout =
        std::chrono::milliseconds(host.integer(config, "/timeout_ms").value_or(15000));
    settings.tls = read_tls(host, config);
    settings.mode = read_mode(host.text(config, "/mode").value_or("event"));
    settings.format = host.text(config, "/format").value_or("payload") == "cloudevents"
                          ? Format::cloudevents
                          : Format::payload;
    settings.event_source =
        read_template(host, config, "/cloudevents/source", "cloudevents.source");
    settings.event_type = read_template(host, config, "/cloudevents/type", "cloudevents.type");
    if (settings.format == Format::payload && (settings.event_source || settings.event_type))
        refuse("cloudevents is only for format: cloudevents");
    settings.concurrency = static_cast<unsigned>(
        host.integer(config, "/concurrency").value_or(settings.mode == Mode::event ? 8 : 1));
    settings.gzip = host.text(config, "/compression").value_or("none") == "gzip";
    settings.signing_keys = read_keys(host, config);
    if (host.find(config, "/rejected_statuses").kind == PGAT_JSON_ARRAY) {
        settings.rejected_statuses.clear();
        host.each(config, "/rejected_statuses", [&](std::string_view, Json status) {
            settings.rejected_statuses.push_back(std::stol(std::string(status.text)));
        });
    }
    return settings;
}

} // namespace pgat::http
