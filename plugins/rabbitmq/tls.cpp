#include "rabbitmq/tls.hpp"

#include <new>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace pgat::rabbitmq {

namespace {

struct ContextDeleter {
    void operator()(SSL_CTX *context) const noexcept { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, ContextDeleter>;

std::string reason() {
    const unsigned long error = ERR_peek_last_error();
    ERR_clear_error();
    const char *const text = error == 0 ? nullptr : ERR_reason_error_string(error);
    return text == nullptr ? "unknown error" : text;
}

void must(bool worked, const std::string &option, const std::string &file) {
    if (!worked)
        throw plugin::Failure(PGAT_E_CONFIG, option + ": " + file + " cannot be used: " + reason());
}

bool is_address(const std::string &host) {
    in6_addr scratch{};
    return ::inet_pton(AF_INET, host.c_str(), &scratch) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), &scratch) == 1;
}

void expect_name(SSL *ssl, const std::string &name) {
    if (is_address(name)) {
        if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) != 1)
            throw std::bad_alloc();
        return;
    }
    if (SSL_set1_host(ssl, name.c_str()) != 1) throw std::bad_alloc();
}

} // namespace

Ssl make_tls(const Tls &settings, const std::string &host) {
    ERR_clear_error();
    const Context context(SSL_CTX_new(TLS_client_method()));
    if (!context) throw std::bad_alloc();
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (settings.ca_file.empty()) {
        SSL_CTX_set_default_verify_paths(context.get());
    } else {
        must(SSL_CTX_load_verify_locations(context.get(), settings.ca_file.c_str(), nullptr) == 1,
             "tls.ca_file", settings.ca_file);
    }
    if (!settings.cert_file.empty()) {
        must(SSL_CTX_use_certificate_chain_file(context.get(), settings.cert_file.c_str()) == 1,
             "tls.cert_file", settings.cert_file);
        must(SSL_CTX_use_PrivateKey_file(context.get(), settings.key_file.c_str(),
                                         SSL_FILETYPE_PEM) == 1,
             "tls.key_file", settings.key_file);
        must(SSL_CTX_check_private_key(context.get()) == 1, "tls.key_file", settings.key_file);
    }
    SSL_CTX_set_verify(context.get(), settings.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    Ssl ssl(SSL_new(context.get()));
    if (!ssl) throw std::bad_alloc();
    const std::string &name = settings.server_name.empty() ? host : settings.server_name;
    if (!is_address(name))
        SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 const_cast<char *>(name.c_str()));
    if (settings.verify) expect_name(ssl.get(), name);
    SSL_set_connect_state(ssl.get());
    return ssl;
}

std::string tls_trouble(SSL *ssl, const Tls &settings) {
    const long verdict = SSL_get_verify_result(ssl);
    if (verdict != X509_V_OK && settings.verify) {
        ERR_clear_error();
        std::string text = std::string("the broker's certificate is not trusted: ") +
                           X509_verify_cert_error_string(verdict);
        text += verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH
                    ? ": set tls.server_name to a name that it holds"
                    : ": set tls.ca_file to the authority that signed it";
        return text;
    }
    return "TLS: " + reason() +
           (settings.cert_file.empty() ? ": if the broker asks for a client certificate, set "
                                         "tls.cert_file and tls.key_file"
                                       : ": check that the broker accepts our tls.cert_file");
}

} // namespace pgat::rabbitmq
