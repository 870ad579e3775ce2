// The names that a shared library exports, read out of the file without loading it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pgat::conformance {

// What others may bind to, less what every linker adds. Nothing: its section headers are stripped. The file is
// a whole ELF file of this machine (elf_problem()). Throws std::ios_base::failure.
std::optional<std::vector<std::string>> exported_symbols(const std::filesystem::path &file);

} // namespace pgat::conformance
