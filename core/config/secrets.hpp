// Which keys hold secrets, and secrets from files.
//
// A key is a secret if it is, or ends in "_" or "." and, one of: api_key, credentials, passphrase, password,
// secret, token, uri, url. So signing_secret, ssl_key_password and sasl.password are; ca_file, cert_file and
// key_file are not the `_file` form of any, and reach their reader as they are.
#pragma once

#include <string>
#include <string_view>

namespace pgat::config {

bool is_secret(std::string_view key);

// For "password_file" "password"; empty for a key that does not name the file of a secret.
std::string secret_of_file_key(std::string_view key);

// The content of the file less the line ends at its end. Throws BadValue if it cannot be read, or is
// empty.
std::string read_secret(const std::string &path);

} // namespace pgat::config
