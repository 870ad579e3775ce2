#include "support/certificate.hpp"

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace pgat::support {

namespace {

constexpr long a_day = 86400;

void must(bool worked) {
    if (!worked) throw std::runtime_error("cannot make a certificate for the test");
}

void add_extension(X509 *certificate, int what, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
        X509V3_EXT_conf_nid(nullptr, &context, what, value), X509_EXTENSION_free);
    must(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

template <class Write>
void write_file(const std::filesystem::path &path, Write write) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path.c_str(), "w"),
                                                                &std::fclose);
    must(file && write(file.get()) == 1);
}

template <class Thing>
Thing *read_file(const std::filesystem::path &path,
                 Thing *(*read)(std::FILE *, Thing **, pem_password_cb *, void *)) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path.c_str(), "r"),
                                                                &std::fclose);
    must(file != nullptr);
    return read(file.get(), nullptr, nullptr, nullptr);
}

} // namespace

Certificate::Certificate(const Certificate *authority) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                  EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
    must(key && certificate);
    X509 *const x509 = certificate.get();
    must(X509_set_version(x509, X509_VERSION_3) == 1);
    must(ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -a_day);
    X509_gmtime_adj(X509_getm_notAfter(x509), a_day);
    must(X509_set_pubkey(x509, key.get()) == 1);
    X509_NAME *const name = X509_get_subject_name(x509);
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char *>("localhost"), -1, -1,
                                    0) == 1);
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> issuer_key(nullptr, EVP_PKEY_free);
    if (authority == nullptr) {
        must(X509_set_issuer_name(x509, name) == 1);
    } else {
        // A name of its own, else it looks self-signed.
        must(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
                                        reinterpret_cast<const unsigned char *>("issued"), -1, -1,
                                        0) == 1);
        must(X509_set_subject_name(x509, name) == 1);
        const std::unique_ptr<X509, decltype(&X509_free)> issuer(
            read_file<X509>(authority->certificate_file(), PEM_read_X509), X509_free);
        issuer_key.reset(read_file<EVP_PKEY>(authority->key_file(), PEM_read_PrivateKey));
        must(issuer && issuer_key &&
             X509_set_issuer_name(x509, X509_get_subject_name(issuer.get())) == 1);
        must(ASN1_INTEGER_set(X509_get_serialNumber(x509), 2) == 1);
    }
    add_extension(x509, NID_basic_constraints,
                  authority == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(x509, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    must(X509_sign(x509, issuer_key ? issuer_key.get() : key.get(), EVP_sha256()) > 0);

    write_file(certificate_file(), [&](std::FILE *file) { return PEM_write_X509(file, x509); });
    write_file(key_file(), [&](std::FILE *file) {
        return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
}

} // namespace pgat::support
