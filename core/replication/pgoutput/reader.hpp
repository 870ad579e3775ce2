// Reads the fields of one message from front to back, big-endian, and never outside of it: a field
// that is not there in full throws Error (reconnect).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/identifiers.hpp"
#include "base/lsn.hpp"

namespace pgat::replication {

// Microseconds from 1970 to 2000, where Postgres's clock begins.
inline constexpr std::int64_t postgres_epoch = 946'684'800'000'000;

// The `Unsigned` that begins at `bytes`.
template <class Unsigned>
Unsigned big_endian(const char *bytes) noexcept {
    Unsigned value = 0;
    for (std::size_t i = 0; i < sizeof(Unsigned); ++i)
        value = static_cast<Unsigned>(value << 8) |
                static_cast<Unsigned>(static_cast<unsigned char>(bytes[i]));
    return value;
}

// Postgres's time, as its protocol has it, as ours. Wraps where no time is meant to be.
inline Timestamp from_postgres_time(std::uint64_t microseconds) noexcept {
    return Timestamp(
        static_cast<std::int64_t>(microseconds + static_cast<std::uint64_t>(postgres_epoch)));
}

class Reader {
  public:
    // `what` names the message in errors; both outlive the reader.
    Reader(std::string_view bytes, const char *what) noexcept : left_(bytes), what_(what) {}

    std::uint8_t byte() { return static_cast<std::uint8_t>(*take(1)); }
    char character() { return *take(1); }
    std::uint16_t uint16() { return big_endian<std::uint16_t>(take(2)); }
    std::uint32_t uint32() { return big_endian<std::uint32_t>(take(4)); }
    std::uint64_t uint64() { return big_endian<std::uint64_t>(take(8)); }
    Lsn lsn() { return Lsn(uint64()); }
    Timestamp timestamp() { return from_postgres_time(uint64()); }

    // Up to the next zero byte, which is passed over.
    std::string_view c_string() {
        const auto end = left_.find('\0');
        if (end == std::string_view::npos) fail("a text has no end");
        const auto text = left_.substr(0, end);
        left_.remove_prefix(end + 1);
        return text;
    }
    // A length of 32 bits, and so many bytes.
    std::string_view counted() {
        const auto size = uint32();
        return {take(size), size};
    }
    std::string_view rest() noexcept {
        const auto all = left_;
        left_ = {};
        return all;
    }
    std::size_t left() const noexcept { return left_.size(); }
    void skip(std::size_t size) { take(size); }

    // Throws if anything is left.
    void require_end() const {
        if (!left_.empty()) fail("it goes on where it should end");
    }
    [[noreturn]] void fail(const char *why) const;

  private:
    const char *take(std::size_t size) {
        if (size > left_.size()) fail("it is cut short");
        const char *const bytes = left_.data();
        left_.remove_prefix(size);
        return bytes;
    }

    std::string_view left_;
    const char *what_;
};

} // namespace pgat::replication
