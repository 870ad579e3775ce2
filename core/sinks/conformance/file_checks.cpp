// The file, before anything of it runs.
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sinks/conformance/check.hpp"
#include "sinks/conformance/exported_symbols.hpp"
#include "sinks/elf.hpp"
#include "sinks/trust.hpp"

namespace pgat::conformance::checks {
namespace {

[[noreturn]] void cannot_read() {
    fail("cannot be read: " + std::generic_category().message(errno));
}

void judge(const std::filesystem::path &path, Finding &finding) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) cannot_read();
    const sinks::Trust trust = sinks::trust_in(status, path.string());
    if (!trust.refusal.empty()) fail("the daemon would not load it: " + trust.refusal);
    if (!trust.warning.empty()) finding.advice.push_back("warning: " + trust.warning);
}

} // namespace

Finding file_is_whole(const Subject &subject) {
    const int fd = ::open(subject.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) cannot_read();
    struct stat status {};
    if (::fstat(fd, &status) != 0) cannot_read();
    if (!S_ISREG(status.st_mode)) fail("it is not a regular file");
    if (const std::string problem = sinks::elf_problem(fd); !problem.empty())
        fail("it is " + problem);
    return {};
}

Finding file_is_trusted(const Subject &subject) {
    Finding finding;
    judge(subject.file.parent_path(), finding);
    judge(subject.file, finding);
    return finding;
}

Finding exports_one_symbol(const Subject &subject) {
    const auto exported = exported_symbols(subject.file);
    if (!exported) skip("its section headers are stripped: its symbols cannot be listed");
    std::vector<std::string> others;
    bool entry = false;
    for (const std::string &name : *exported) {
        if (name == "pgat_sink_entry")
            entry = true;
        else
            others.push_back(name);
    }
    if (!entry)
        fail("it does not export pgat_sink_entry",
             {"define it with PGAT_EXPORT_SINK, or as pgat/sink.h declares it"});
    if (others.empty()) return {};
    const std::size_t count = others.size();
    if (count > 5) others.resize(5);
    fail(fmt::format("it also exports {}{}", fmt::join(others, ", "),
                     count > 5 ? fmt::format(" and {} more", count - 5) : ""),
         {"compile with -fvisibility=hidden and link with a version script, as pgat_add_sink() "
          "does"});
}

} // namespace pgat::conformance::checks
