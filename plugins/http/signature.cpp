#include "http/signature.hpp"

#include <array>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "pgat/sink.hpp"

namespace pgat::http {

namespace {

constexpr std::size_t sha256_size = 32;
constexpr std::string_view blanks = " \t\r\n";

const unsigned char *bytes(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char *>(text.data());
}

void must(bool worked) {
    if (!worked) throw std::runtime_error("OpenSSL cannot compute HMAC-SHA256");
}

std::string decode_base64(std::string_view text) {
    while (!text.empty() && text.back() == '=')
        text.remove_suffix(1);
    std::string padded(text);
    while (padded.size() % 4 != 0)
        padded += '=';
    std::string out(padded.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char *>(out.data()), bytes(padded),
                                     static_cast<int>(padded.size()));
    if (size < 0 || text.size() % 4 == 1 || text.empty() ||
        text.find('=') != std::string_view::npos)
        throw plugin::Failure(PGAT_E_CONFIG, "signing_secret: what follows whsec_ is not base64");
    out.resize(text.size() * 3 / 4);
    return out;
}

} // namespace

std::vector<std::string> parse_signing_secrets(std::string_view text) {
    constexpr std::string_view prefix = "whsec_";
    std::vector<std::string> keys;
    while (true) {
        const std::size_t begin = text.find_first_not_of(blanks);
        if (begin == std::string_view::npos) return keys;
        text.remove_prefix(begin);
        std::string_view secret = text.substr(0, text.find_first_of(blanks));
        text.remove_prefix(secret.size());
        if (secret.substr(0, prefix.size()) == prefix) {
            secret.remove_prefix(prefix.size());
            keys.push_back(decode_base64(secret));
        } else {
            keys.emplace_back(secret);
        }
    }
}

struct Signer::Hmac {
    Hmac()
        : algorithm(EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free),
          context(EVP_MAC_CTX_new(algorithm.get()), EVP_MAC_CTX_free) {
        must(context != nullptr);
    }

    std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> algorithm;
    std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context;
};

Signer::Signer(std::vector<std::string> keys)
    : keys_(std::move(keys)), hmac_(keys_.empty() ? nullptr : std::make_unique<Hmac>()) {}
Signer::~Signer() = default;
Signer::Signer(Signer &&) noexcept = default;

void Signer::sign(std::string_view id, std::string_view timestamp, std::string_view body,
                  std::string &out) {
    std::string digest_name = "SHA256";
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name.data(), 0),
        OSSL_PARAM_construct_end()};
    out.clear();
    for (const std::string &key : keys_) {
        EVP_MAC_CTX *context = hmac_->context.get();
        must(EVP_MAC_init(context, bytes(key), key.size(), parameters.data()) == 1);
        for (const std::string_view part :
             {id, std::string_view("."), timestamp, std::string_view("."), body})
            must(EVP_MAC_update(context, bytes(part), part.size()) == 1);
        std::array<unsigned char, sha256_size> digest{};
        std::size_t size = 0;
        must(EVP_MAC_final(context, digest.data(), &size, digest.size()) == 1);
        std::array<unsigned char, 4 * ((sha256_size + 2) / 3) + 1> text{};
        const int length = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(size));
        out += out.empty() ? "v1," : " v1,";
        out.append(reinterpret_cast<const char *>(text.data()), static_cast<std::size_t>(length));
    }
}

std::string fingerprint(const std::vector<std::string_view> &texts) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    must(context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
    for (const std::string_view text : texts) {
        must(EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1);
        must(EVP_DigestUpdate(context.get(), "\n", 1) == 1);
    }
    std::array<unsigned char, sha256_size> digest{};
    must(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
    constexpr std::string_view hex = "0123456789abcdef";
    std::string out;
    for (const unsigned char byte : digest) {
        out += hex[byte >> 4U];
        out += hex[byte & 0xFU];
    }
    return out;
}

} // namespace pgat::http
