#include "sinks/conformance/exported_symbols.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

#include <elf.h>

namespace pgat::conformance {
namespace {

// Of older linkers, in every library.
constexpr std::array linkers_own = {"_init", "_fini", "_edata", "_end", "__bss_start"};

class Image {
  public:
    explicit Image(const std::filesystem::path &file) {
        std::ifstream in;
        in.exceptions(std::ios::failbit | std::ios::badbit);
        in.open(file, std::ios::binary);
        bytes_.assign(std::istreambuf_iterator<char>(in), {});
    }

    template <class Value>
    std::optional<Value> at(std::uint64_t offset) const {
        Value value;
        if (offset > bytes_.size() || sizeof value > bytes_.size() - offset) return std::nullopt;
        std::memcpy(&value, bytes_.data() + offset, sizeof value);
        return value;
    }

    std::string text(std::uint64_t offset) const {
        if (offset >= bytes_.size()) return {};
        const std::string_view rest = std::string_view(bytes_).substr(offset);
        return std::string(rest.substr(0, rest.find('\0')));
    }

  private:
    std::string bytes_;
};

bool is_exported(const Elf64_Sym &symbol) {
    const auto binding = ELF64_ST_BIND(symbol.st_info);
    const auto visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    return symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS && binding != STB_LOCAL &&
           (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

} // namespace

std::optional<std::vector<std::string>> exported_symbols(const std::filesystem::path &file) {
    const Image image(file);
    const auto header = image.at<Elf64_Ehdr>(0);
    if (!header || header->e_shoff == 0) return std::nullopt;
    const auto section = [&](std::uint64_t index) {
        return image.at<Elf64_Shdr>(header->e_shoff + index * sizeof(Elf64_Shdr));
    };
    for (std::uint64_t i = 0; i < header->e_shnum; ++i) {
        const auto symbols = section(i);
        if (!symbols || symbols->sh_type != SHT_DYNSYM) continue;
        const auto names = section(symbols->sh_link);
        if (!names) return std::nullopt;
        std::vector<std::string> found;
        for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= symbols->sh_size;
             at += sizeof(Elf64_Sym)) {
            const auto symbol = image.at<Elf64_Sym>(symbols->sh_offset + at);
            if (!symbol) return std::nullopt;
            if (!is_exported(*symbol)) continue;
            std::string name = image.text(names->sh_offset + symbol->st_name);
            if (std::none_of(linkers_own.begin(), linkers_own.end(),
                             [&](const char *own) { return name == own; }))
                found.push_back(std::move(name));
        }
        std::sort(found.begin(), found.end());
        return found;
    }
    return std::nullopt;
}

} // namespace pgat::conformance
