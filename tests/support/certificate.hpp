// A fresh self-signed certificate for localhost and 127.0.0.1, usable by a server and by a client, as PEM
// files in a temporary folder that goes with the object. It is its own certificate authority.
#pragma once

#include <filesystem>

namespace pgat::support {

class Certificate {
  public:
    Certificate();
    ~Certificate();
    Certificate(const Certificate &) = delete;
    Certificate &operator=(const Certificate &) = delete;

    std::filesystem::path certificate_file() const { return folder_ / "certificate.pem"; }
    std::filesystem::path key_file() const { return folder_ / "key.pem"; }

  private:
    std::filesystem::path folder_;
};

} // namespace pgat::support
