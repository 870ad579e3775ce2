// A fresh self-signed certificate for localhost and 127.0.0.1, usable by a server and by a client, as PEM
// files in a temporary folder that goes with the object. It is its own certificate authority.
#pragma once

#include <filesystem>

#include "support/temporary_folder.hpp"

namespace pgat::support {

class Certificate {
  public:
    Certificate();

    std::filesystem::path certificate_file() const { return folder_.path() / "certificate.pem"; }
    std::filesystem::path key_file() const { return folder_.path() / "key.pem"; }

  private:
    TemporaryFolder folder_{"certificate"};
};

} // namespace pgat::support
