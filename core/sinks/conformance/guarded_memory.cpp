#include "sinks/conformance/guarded_memory.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <sys/mman.h>
#include <unistd.h>

#include "sinks/conformance/crash_report.hpp"

namespace pgat::conformance {

GuardedMemory::GuardedMemory(const void *bytes, std::size_t size, const char *beyond,
                             const char *sealed)
    : size_(size), sealed_(sealed) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    mapped_ = (size / page + 1) * page;
    pages_ =
        ::mmap(nullptr, mapped_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    char *const end = static_cast<char *>(pages_) + mapped_;
    if (::mprotect(end, page, PROT_NONE) != 0)
        throw std::system_error(errno, std::generic_category(), "mprotect");
    name_forbidden(end, page, beyond);
    data_ = end - size;
    if (size > 0) std::memcpy(data_, bytes, size);
}

void GuardedMemory::seal() const {
    if (::mprotect(pages_, mapped_, PROT_NONE) != 0)
        throw std::system_error(errno, std::generic_category(), "mprotect");
    name_forbidden(pages_, mapped_, sealed_);
}

} // namespace pgat::conformance
