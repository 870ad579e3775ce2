// Standard Webhooks signatures (https://www.standardwebhooks.com): HMAC-SHA256 over "id.timestamp.body", one
// for each secret, so that receivers can move from an old secret to a new one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgat::http {

// The keys in `text`: secrets separated by white space. "whsec_" is followed by base64; a secret without it
// is taken byte for byte. Throws Failure(PGAT_E_CONFIG) if base64 is not what follows.
std::vector<std::string> parse_signing_secrets(std::string_view text);

class Signer {
  public:
    explicit Signer(std::vector<std::string> keys);
    ~Signer();
    Signer(Signer &&) noexcept;

    bool signs() const noexcept { return !keys_.empty(); }

    // Replaces `out` by the value of webhook-signature, "v1,<base64> v1,<base64>".
    void sign(std::string_view id, std::string_view timestamp, std::string_view body,
              std::string &out);

  private:
    struct Hmac;
    std::vector<std::string> keys_;
    std::unique_ptr<Hmac> hmac_;
};

// SHA-256 of the texts, each ended by a newline, as hex: names a set of events.
std::string fingerprint(const std::vector<std::string_view> &texts);

} // namespace pgat::http
