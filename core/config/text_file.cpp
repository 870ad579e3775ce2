#include "config/text_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace pgat::config {

std::string read_text_file(const std::string &path) {
    constexpr std::size_t most = 1U << 20U;
    struct Close {
        void operator()(std::FILE *file) const noexcept { std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rbe"));
    if (!file) throw std::system_error(errno, std::generic_category());
    std::string text;
    std::array<char, 4096> buffer{};
    for (;;) {
        errno = 0;
        const std::size_t read = std::fread(buffer.data(), 1, buffer.size(), file.get());
        text.append(buffer.data(), read);
        if (std::ferror(file.get()) != 0) throw std::system_error(errno, std::generic_category());
        if (text.size() > most) throw std::system_error(EFBIG, std::generic_category());
        if (read < buffer.size()) return text;
    }
}

} // namespace pgat::config
