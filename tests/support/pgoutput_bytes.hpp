// Writes pgoutput messages by hand, as the protocol's documentation describes them
// (https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html), so that what
// reads them is tested against the documentation and not against itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgat::support {

class Bytes {
  public:
    Bytes() = default;
    explicit Bytes(char kind) : bytes_(1, kind) {}

    Bytes &int8(std::uint64_t value) { return big_endian(value, 1); }
    Bytes &int16(std::uint64_t value) { return big_endian(value, 2); }
    Bytes &int32(std::uint64_t value) { return big_endian(value, 4); }
    Bytes &int64(std::uint64_t value) { return big_endian(value, 8); }
    Bytes &string(std::string_view text) { return raw(text).raw({"\0", 1}); }
    Bytes &raw(std::string_view bytes) {
        bytes_ += bytes;
        return *this;
    }
    // A column value.
    Bytes &null() { return raw("n"); }
    Bytes &unchanged() { return raw("u"); }
    Bytes &text(std::string_view value) { return raw("t").int32(value.size()).raw(value); }
    Bytes &binary(std::string_view value) { return raw("b").int32(value.size()).raw(value); }

    const std::string &str() const noexcept { return bytes_; }
    operator std::string_view() const noexcept { return bytes_; }
    operator std::string() const { return bytes_; }

  private:
    Bytes &big_endian(std::uint64_t value, int size) {
        for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
            bytes_.push_back(static_cast<char>((value >> shift) & 0xFF));
        return *this;
    }

    std::string bytes_;
};

inline Bytes begin_message(std::uint64_t commit_lsn, std::uint64_t time, std::uint32_t xid) {
    return Bytes('B').int64(commit_lsn).int64(time).int32(xid);
}

inline Bytes commit_message(std::uint64_t commit_lsn, std::uint64_t end_lsn, std::uint64_t time) {
    return Bytes('C').int8(0).int64(commit_lsn).int64(end_lsn).int64(time);
}

struct NamedColumn {
    std::string name;
    std::uint32_t type;
};

inline Bytes relation_message(std::uint32_t id, std::string_view schema, std::string_view name,
                              const std::vector<NamedColumn> &columns) {
    Bytes bytes('R');
    bytes.int32(id).string(schema).string(name).raw("d").int16(columns.size());
    for (const auto &column : columns)
        bytes.int8(column.name == "id" ? 1 : 0)
            .string(column.name)
            .int32(column.type)
            .int32(0xFFFFFFFF);
    return bytes;
}

} // namespace pgat::support
