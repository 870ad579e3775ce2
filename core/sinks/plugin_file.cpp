// From a file to a plugin: whose it is, whether it is whole, whether it binds, what it says it is.
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "sinks/elf.hpp"
#include "sinks/library.hpp"
#include "sinks/plugin.hpp"
#include "sinks/trust.hpp"

namespace pgat::sinks {
namespace {

namespace fs = std::filesystem;

struct Loaded {
    Library library;
    std::unique_ptr<const Plugin> plugin; // null: refused
};

// Leaked on purpose: destroying it would close the libraries while their threads may still run.
struct Registry {
    std::mutex mutex;
    std::map<fs::path, Loaded> loaded;

    static Registry &instance() {
        static Registry &registry = *new Registry;
        return registry;
    }
};

[[noreturn]] void refuse(const fs::path &file, std::string_view why) {
    throw Error(Remedy::configure, fmt::format("{}: {}", file.string(), why));
}

void require_trust(const fs::path &file, const fs::path &folder,
                   std::vector<std::string> &warnings) {
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0)
        refuse(file, fmt::format("cannot be read: {}", std::generic_category().message(errno)));
    Trust trust = trust_in(status, folder.string());
    if (!trust.refusal.empty()) refuse(file, "not loaded: " + trust.refusal);
    if (!trust.warning.empty()) warnings.push_back(std::move(trust.warning));
}

// Owner, permissions and the ELF header, before anything of the file is mapped.
void inspect(const fs::path &file, std::vector<std::string> &warnings) {
    struct Descriptor {
        int fd;
        ~Descriptor() {
            if (fd >= 0) ::close(fd);
        }
    };
    const Descriptor opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (opened.fd < 0)
        refuse(file, fmt::format("cannot be read: {}", std::generic_category().message(errno)));

    struct stat status {};
    if (::fstat(opened.fd, &status) != 0)
        refuse(file, fmt::format("cannot be read: {}", std::generic_category().message(errno)));
    if (!S_ISREG(status.st_mode)) refuse(file, "not a regular file");

    require_trust(file, file.parent_path(), warnings);
    const Trust trust = trust_in(status, file.string());
    if (!trust.refusal.empty()) refuse(file, "not loaded: " + trust.refusal);
    if (!trust.warning.empty()) warnings.push_back(trust.warning);
    if (const std::string problem = elf_problem(opened.fd); !problem.empty())
        refuse(file, problem + ": install the plugin again, built for this machine");
}

Plugin load(Loaded &entry, const fs::path &file, std::vector<std::string> warnings) {
    inspect(file, warnings);
    if (!entry.library.is_loaded()) entry.library = open_library(file);
    const pgat_sink_entry_fn entry_point = sink_entry(entry.library, file);
    const pgat_sink_plugin *table = nullptr;
    try {
        table = entry_point(PGAT_ABI_MAJOR, PGAT_ABI_MINOR);
    } catch (...) {
        refuse(file,
               "pgat_sink_entry threw an exception: the plugin is faulty, report it to its author");
    }
    Plugin plugin = read_table(table, file);
    plugin.warnings.insert(plugin.warnings.begin(), warnings.begin(), warnings.end());
    return plugin;
}

} // namespace

const Plugin &load_plugin_file(const fs::path &file) {
    std::error_code failed;
    const fs::path canonical = fs::canonical(file, failed);
    if (failed) refuse(file, fmt::format("cannot be read: {}", failed.message()));
    // A link is as trustworthy as the folder it lies in.
    const fs::path folder =
        fs::canonical(file.has_parent_path() ? file.parent_path() : ".", failed);
    if (failed) refuse(file, fmt::format("cannot be read: {}", failed.message()));
    std::vector<std::string> warnings;
    if (folder != canonical.parent_path()) require_trust(canonical, folder, warnings);

    Registry &registry = Registry::instance();
    const std::lock_guard lock(registry.mutex);
    Loaded &entry = registry.loaded[canonical];
    if (!entry.plugin)
        entry.plugin = std::make_unique<const Plugin>(load(entry, canonical, std::move(warnings)));
    if (entry.plugin->type != file.stem().string())
        refuse(canonical,
               fmt::format("says it is the plugin \"{0}\", its file's name {1}: rename the "
                           "file to {0}.so, or install the right one, or set .type to \"{2}\" in "
                           "PGAT_EXPORT_SINK (in C: .type)",
                           entry.plugin->type, file.filename().string(), file.stem().string()));
    return *entry.plugin;
}

} // namespace pgat::sinks
