// A fresh certificate for localhost and 127.0.0.1, usable by a server and by a client, as PEM files in a
// temporary folder that goes with the object.
#pragma once

#include <filesystem>

#include "support/temporary_folder.hpp"

namespace pgat::support {

class Certificate {
  public:
    // Self-signed, its own certificate authority.
    Certificate() : Certificate(nullptr) {}
    // Signed by another one.
    explicit Certificate(const Certificate &authority) : Certificate(&authority) {}

    std::filesystem::path certificate_file() const { return folder_.path() / "certificate.pem"; }
    std::filesystem::path key_file() const { return folder_.path() / "key.pem"; }

  private:
    explicit Certificate(const Certificate *authority);

    TemporaryFolder folder_{"certificate"};
};

} // namespace pgat::support
