// A shared library that is bound as a plugin must be: at once, with its symbols to itself, by its full path.
#pragma once

#define BOOST_DLL_USE_STD_FS
#include <filesystem>

#include <boost/dll/shared_library.hpp>
#include <pgat/sink.h>

namespace pgat::sinks {

// Closes the file when it is destroyed: keep it for the life of the process.
using Library = boost::dll::shared_library;

// `file` is a canonical path. Throws Error (configure) whose text names what is missing.
Library open_library(const std::filesystem::path &file);

// The one function of a plugin that has a name. Throws Error (configure): it has none.
pgat_sink_entry_fn sink_entry(const Library &library, const std::filesystem::path &file);

} // namespace pgat::sinks
