// A look at a file before the dynamic loader maps it: dlopen() trusts headers, and a file that is
// cut short ends the process with SIGBUS.
#pragma once

#include <string>

namespace pgat::sinks {

// What keeps the open file from being loaded here, as in "not an ELF file"; empty: nothing found.
std::string elf_problem(int fd);

} // namespace pgat::sinks
