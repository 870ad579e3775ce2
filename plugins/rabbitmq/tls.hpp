// TLS of a connection, set up from the configuration: whom to trust, whom to expect, who we are.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "rabbitmq/settings.hpp"

namespace pgat::rabbitmq {

struct SslDeleter {
    void operator()(SSL *ssl) const noexcept { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, SslDeleter>;

// A client's side of a connection to `host`, without a socket. Reads the files anew, so that renewed
// certificates are used from the next connection on. Throws Failure(PGAT_E_CONFIG), naming the option, if a
// file is not what it should be.
Ssl make_tls(const Tls &settings, const std::string &host);

// What OpenSSL has against the connection, as a sentence that says what to do.
std::string tls_trouble(SSL *ssl, const Tls &settings);

} // namespace pgat::rabbitmq
