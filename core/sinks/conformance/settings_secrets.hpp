// What of a sink's settings nobody may read: the values of keys that hold secrets, of URLs the password and the
// query.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

namespace pgat::conformance {

// Those of at least so many bytes.
std::set<std::string> secrets_of(const nlohmann::json &settings, std::size_t least);

// `text` with *** for each secret in it.
std::string masked(std::string text, const std::set<std::string> &secrets);

} // namespace pgat::conformance
