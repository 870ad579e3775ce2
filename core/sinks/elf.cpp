#include "sinks/elf.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pgat::sinks {
namespace {

#if defined(__x86_64__)
constexpr std::uint16_t our_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t our_machine = EM_AARCH64;
#elif defined(__riscv)
constexpr std::uint16_t our_machine = EM_RISCV;
#elif defined(__powerpc64__)
constexpr std::uint16_t our_machine = EM_PPC64;
#elif defined(__s390x__)
constexpr std::uint16_t our_machine = EM_S390;
#else
#error "name this machine's ELF number here"
#endif

constexpr unsigned char our_byte_order =
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

std::string machine_name(std::uint16_t machine) {
    switch (machine) {
    case EM_X86_64:
        return "x86-64";
    case EM_AARCH64:
        return "aarch64";
    case EM_386:
        return "i386";
    case EM_ARM:
        return "arm";
    case EM_RISCV:
        return "riscv";
    case EM_PPC64:
        return "ppc64";
    case EM_S390:
        return "s390";
    default:
        return fmt::format("machine {}", machine);
    }
}

bool read_at(int fd, void *to, std::size_t size, std::uint64_t offset) {
    auto *out = static_cast<char *>(to);
    while (size > 0) {
        const ssize_t got = ::pread(fd, out, size, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        out += got;
        size -= static_cast<std::size_t>(got);
        offset += static_cast<std::uint64_t>(got);
    }
    return true;
}

} // namespace

std::string elf_problem(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return std::strerror(errno);
    const auto file_size = static_cast<std::uint64_t>(status.st_size);
    const auto inside = [file_size](std::uint64_t offset, std::uint64_t size) {
        return offset <= file_size && size <= file_size - offset;
    };

    Elf64_Ehdr header{};
    if (!read_at(fd, header.e_ident, sizeof header.e_ident, 0) ||
        std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return "not an ELF file";
    if (header.e_ident[EI_CLASS] != ELFCLASS64) return "not a 64-bit ELF file";
    if (header.e_ident[EI_DATA] != our_byte_order) return "an ELF file of the other byte order";
    if (!read_at(fd, &header, sizeof header, 0)) return "truncated: it ends within its ELF header";
    if (header.e_machine != our_machine)
        return fmt::format("built for {}, this machine is {}", machine_name(header.e_machine),
                           machine_name(our_machine));
    if (header.e_type != ET_DYN) return "an ELF file, but not a shared library";
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0)
        return "a damaged ELF file: it has no usable program headers";

    std::vector<Elf64_Phdr> segments(header.e_phnum);
    const std::size_t table = segments.size() * sizeof(Elf64_Phdr);
    if (!inside(header.e_phoff, table) || !read_at(fd, segments.data(), table, header.e_phoff))
        return "truncated: it ends before its program headers";
    bool dynamic = false;
    for (const Elf64_Phdr &segment : segments) {
        dynamic = dynamic || segment.p_type == PT_DYNAMIC;
        const bool in_file = segment.p_type == PT_LOAD || segment.p_type == PT_DYNAMIC;
        if (in_file && !inside(segment.p_offset, segment.p_filesz))
            return fmt::format("truncated: it has {} bytes of at least {}", file_size,
                               segment.p_offset + segment.p_filesz);
    }
    // Not needed to load it, but a file cut short there is not what its author made.
    const std::size_t sections = std::size_t{header.e_shnum} * sizeof(Elf64_Shdr);
    if (header.e_shoff != 0 && !inside(header.e_shoff, sections))
        return fmt::format("truncated: it has {} bytes of {}", file_size,
                           header.e_shoff + sections);
    if (!dynamic) return "an ELF file, but not a shared library";
    return {};
}

} // namespace pgat::sinks
