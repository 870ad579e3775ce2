// Bytes that end where a forbidden page begins, and that can be forbidden themselves: one byte read beyond
// their end, or any after seal(), ends the process, and the crash report says whose memory it was.
#pragma once

#include <cstddef>
#include <string_view>

namespace pgat::conformance {

// Lives as long as the process: what a plugin keeps too long must not become somebody else's memory.
class GuardedMemory {
  public:
    // `beyond` and `sealed` complete "touching memory …" and are literals. Throws std::system_error.
    GuardedMemory(const void *bytes, std::size_t size, const char *beyond, const char *sealed);
    GuardedMemory(std::string_view text, const char *beyond, const char *sealed)
        : GuardedMemory(text.data(), text.size(), beyond, sealed) {}

    void *data() const noexcept { return data_; }
    std::string_view text() const noexcept { return {static_cast<const char *>(data_), size_}; }

    // From now on its bytes must not be touched either.
    void seal() const;

  private:
    void *pages_;
    std::size_t mapped_; // without the forbidden page behind them
    void *data_;
    std::size_t size_;
    const char *sealed_;
};

} // namespace pgat::conformance
