// Small files read whole: the configuration and the secrets it names.
#pragma once

#include <string>

namespace pgat::config {

// The file's bytes. Throws std::system_error with the operating system's reason; a file over a megabyte
// is no configuration and is refused so.
std::string read_text_file(const std::string &path);

} // namespace pgat::config
