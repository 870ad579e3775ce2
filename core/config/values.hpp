// One value of the configuration, read as the type that its key wants. Each throws BadValue with a text
// that says what is wanted and what stands there, as it was written.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/document.hpp"

namespace pgat::config {

std::int64_t whole_number(const Node &node, std::int64_t least, std::int64_t most);
bool true_or_false(const Node &node);
// The text as it stands; a number or a bare word is a string too. Never shows the value.
std::string string(const Node &node);
// Strings; a single string is a list of one. Never shows the values.
std::vector<std::string> strings(const Node &node);
// The index of the word in `words`.
std::size_t one_of(const Node &node, const std::vector<std::string> &words);

// Throws for what is no host:port, [address]:port or "".
std::string listen_address(const Node &node);
// Throws for what is no JSON pointer (RFC 6901).
std::string json_pointer(const Node &node);
// Throws for what Postgres takes for no slot's name.
std::string slot_name(const Node &node);

} // namespace pgat::config
