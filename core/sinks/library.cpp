#include "sinks/library.hpp"

#include <system_error>

#include <dlfcn.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "sinks/text.hpp"

namespace pgat::sinks {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path &file, std::string_view why) {
    throw Error(Remedy::configure, fmt::format("{}: {}", file.string(), why));
}

// The loader's message as a sentence. It is glibc's or musl's own; what it names is what helps.
std::string binding_problem(const fs::path &file, std::string_view message) {
    constexpr std::string_view missing = ": cannot open shared object file";
    if (const auto end = message.find(missing); end != std::string_view::npos)
        return fmt::format(
            "needs {}, which is not installed here: install the package that brings it "
            "(\"ldd {}\" lists all that is missing)",
            message.substr(0, end), file.string());
    if (message.find("undefined symbol") != std::string_view::npos ||
        message.find("version `") != std::string_view::npos)
        return fmt::format("cannot be loaded: {}: install it built against the libraries of this "
                           "machine",
                           message);
    return fmt::format("cannot be loaded: {}", message);
}

} // namespace

Library open_library(const fs::path &file) {
    namespace load_mode = boost::dll::load_mode;
    Library library;
    std::error_code failed;
    ::dlerror();
    library.load(file, failed, load_mode::rtld_now | load_mode::rtld_local);
    if (failed) {
        const char *message = ::dlerror(); // NOLINT(concurrency-mt-unsafe): it is per thread
        refuse(file, binding_problem(file, one_line(message != nullptr ? message : failed.message(),
                                                    max_reason)));
    }
    return library;
}

pgat_sink_entry_fn sink_entry(const Library &library, const fs::path &file) {
    if (!library.has("pgat_sink_entry"))
        refuse(file,
               "not a plugin for postgres-async-triggers: it does not export pgat_sink_entry");
    return &library.get<std::remove_pointer_t<pgat_sink_entry_fn>>("pgat_sink_entry");
}

} // namespace pgat::sinks
