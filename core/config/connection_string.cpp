#include "config/connection_string.hpp"

namespace pgat::config {

ConnectionParameters connection_parameters(const PgConnection &connection) {
    ConnectionParameters parameters;
    const auto add = [&](const char *keyword, const std::string &value) {
        if (!value.empty()) parameters.emplace_back(keyword, value);
    };
    const Tls &tls = connection.tls;
    add("dbname", connection.uri);
    add("host", connection.host);
    if (connection.port) add("port", std::to_string(*connection.port));
    add("dbname", connection.name);
    add("user", connection.username);
    add("password", connection.password);
    // Not enabled is libpq's own default, "prefer"; said aloud it would override PGSSLMODE and the uri.
    add("sslmode", tls.mode.empty() && tls.enabled ? "verify-full" : tls.mode);
    add("sslrootcert", tls.ca_file);
    add("sslcert", tls.cert_file);
    add("sslkey", tls.key_file);
    return parameters;
}

std::string describe(const PgConnection &connection) {
    std::string text = connection.host;
    if (text.empty())
        text = connection.uri.empty() ? "the server of libpq's environment"
                                      : "the server of stream.pg_connection.uri";
    if (connection.port) text += ":" + std::to_string(*connection.port);
    if (!connection.name.empty()) text += "/" + connection.name;
    if (!connection.username.empty()) text += " as " + connection.username;
    return text;
}

} // namespace pgat::config
