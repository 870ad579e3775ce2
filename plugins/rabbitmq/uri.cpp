#include "rabbitmq/uri.hpp"

#include <charconv>

namespace pgat::rabbitmq {

namespace {

[[noreturn]] void refuse(const std::string &why) { throw plugin::Failure(PGAT_E_CONFIG, why); }

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) refuse("uri has a % that is not followed by two hex digits");
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

} // namespace

void read_host(std::string_view text, std::string_view where, Broker &broker) {
    std::string_view host = text;
    std::string_view port;
    const std::size_t bracket = text.rfind(']');
    const std::size_t colon = text.rfind(':');
    // A second colon without brackets: a bare IPv6 address.
    const bool has_port =
        colon != std::string_view::npos &&
        (bracket == std::string_view::npos ? text.find(':') == colon : colon > bracket);
    if (has_port) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
    }
    if (host.size() > 1 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    if (host.empty()) refuse(std::string(where) + " has an empty host");
    broker.host = host;
    broker.port = broker.tls ? 5671 : 5672;
    if (!has_port) return;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), broker.port);
    if (error != std::errc() || end != port.data() + port.size() || broker.port == 0)
        refuse(std::string(where) + " has a port that is not a number from 1 to 65535");
}

std::vector<Broker> read_uri(std::string_view uri) {
    Broker common;
    if (uri.starts_with("amqps://")) {
        common.tls = true;
    } else if (!uri.starts_with("amqp://")) {
        refuse("uri must begin with amqp:// or amqps://");
    }
    uri.remove_prefix(uri.find("://") + 3);
    if (uri.find_first_of("?#") != std::string_view::npos)
        refuse("uri has a ? or #: give such options as keys of their own, and write %3F or %23 in "
               "a password or vhost");
    const std::size_t slash = uri.find('/');
    if (slash != std::string_view::npos) {
        const std::string_view vhost = uri.substr(slash + 1);
        if (vhost != "/" && vhost.find('/') != std::string_view::npos)
            refuse("uri has more than one / behind the host: write %2F in a vhost's name");
        if (!vhost.empty()) common.vhost = decoded(vhost);
        uri = uri.substr(0, slash);
    }
    if (const std::size_t at = uri.rfind('@'); at != std::string_view::npos) {
        const std::string_view who = uri.substr(0, at);
        const std::size_t colon = who.find(':');
        common.username = decoded(who.substr(0, colon));
        common.password =
            colon == std::string_view::npos ? std::string() : decoded(who.substr(colon + 1));
        uri.remove_prefix(at + 1);
    }
    std::vector<Broker> brokers;
    while (true) {
        const std::size_t comma = uri.find(',');
        read_host(uri.substr(0, comma), "uri", common);
        brokers.push_back(common);
        if (comma == std::string_view::npos) return brokers;
        uri.remove_prefix(comma + 1);
    }
}

} // namespace pgat::rabbitmq
