// Why a connection did not come about.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace pgat::postgres {

// libpq shows the SQLSTATE of a refused connection only within its verbose text: "… failed: FATAL:
// 28P01: password authentication failed …", then a line with the place in the server's source. This
// makes of it an Error (reconnect) with the SQLSTATE, the text without both, and a hint.
Error refusal(std::string_view verbose);

// Throws Error (configure) for a connection string that libpq cannot read. Its own words for that quote
// the string, and with it perhaps a password.
void require_readable(const std::string &connection_string);

} // namespace pgat::postgres
