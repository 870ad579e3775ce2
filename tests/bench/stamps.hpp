// When each numbered event was seen, in nanoseconds of CLOCK_MONOTONIC: one 8-byte slot a number, in a file
// that the writer, the reader under test and the report share. 0: not seen. One thread writes a slot.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pgat::bench {

class Stamps {
  public:
    // The file must exist, at its full size.
    explicit Stamps(const std::string &file) {
        const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
        struct stat status {};
        if (fd < 0 || ::fstat(fd, &status) != 0) throw std::runtime_error("cannot open " + file);
        bytes_ = static_cast<std::size_t>(status.st_size);
        void *const memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ::close(fd);
        if (memory == MAP_FAILED) throw std::runtime_error("cannot map " + file);
        slots_ = static_cast<std::uint64_t *>(memory);
    }
    ~Stamps() { ::munmap(slots_, bytes_); }
    Stamps(const Stamps &) = delete;
    Stamps &operator=(const Stamps &) = delete;

    std::size_t size() const noexcept { return bytes_ / sizeof(*slots_); }
    bool seen(std::size_t number) const noexcept { return slots_[number] != 0; }

    void set(std::size_t number) noexcept {
        if (number < size()) slots_[number] = now();
    }

    // Stamps the number that stands in `text` behind `"sequence": `, if one does.
    std::optional<std::size_t> set_from(std::string_view text) noexcept {
        constexpr std::string_view key = "\"sequence\": ";
        const auto at = text.find(key);
        if (at == std::string_view::npos) return std::nullopt;
        std::size_t number = 0;
        for (const char digit : text.substr(at + key.size())) {
            if (digit < '0' || digit > '9') break;
            number = number * 10 + static_cast<std::size_t>(digit - '0');
        }
        set(number);
        return number;
    }

  private:
    static std::uint64_t now() noexcept {
        return static_cast<std::uint64_t>(
            std::chrono::steady_clock::now().time_since_epoch().count());
    }

    std::size_t bytes_ = 0;
    std::uint64_t *slots_ = nullptr;
};

} // namespace pgat::bench
