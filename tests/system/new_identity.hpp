// Gives a stopped server's files another system identifier, as pg_upgrade's result has: that of its own initdb,
// over heap files and transaction ids that were carried over byte by byte.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace pgat::testing {

// As Postgres counts it: Castagnoli, reflected.
inline std::uint32_t crc32c(const char *bytes, std::size_t count) {
    std::uint32_t crc = 0xFFFF'FFFF;
    for (std::size_t i = 0; i < count; ++i) {
        crc ^= static_cast<unsigned char>(bytes[i]);
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F6'3B78U : 0U);
    }
    return ~crc;
}

inline void give_new_identity(const std::filesystem::path &data) {
    // pg_control begins with the identifier and ends with a checksum of what is before it, at a place that
    // differs between versions.
    const auto path = data / "global" / "pg_control";
    std::string control;
    {
        std::ifstream file(path, std::ios::binary);
        control.assign(std::istreambuf_iterator<char>(file), {});
    }
    std::size_t end = 64;
    for (std::uint32_t kept = 0;; end += 4) {
        if (end + sizeof kept > 512) throw std::runtime_error("no checksum in " + path.string());
        std::memcpy(&kept, control.data() + end, sizeof kept);
        if (kept == crc32c(control.data(), end)) break;
    }
    std::uint64_t before = 0;
    std::memcpy(&before, control.data(), sizeof before);
    const std::uint64_t after = before + (1ULL << 32);
    std::memcpy(control.data(), &after, sizeof after);
    const auto sum = crc32c(control.data(), end);
    std::memcpy(control.data() + end, &sum, sizeof sum);
    std::fstream(path, std::ios::binary | std::ios::in | std::ios::out)
        .write(control.data(), static_cast<std::streamsize>(control.size()));

    // The first page of each WAL segment names it too.
    constexpr std::streamoff xlp_sysid = 24;
    for (const auto &entry : std::filesystem::directory_iterator(data / "pg_wal")) {
        if (!entry.is_regular_file()) continue;
        std::fstream segment(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
        std::uint64_t named = 0;
        segment.seekg(xlp_sysid).read(reinterpret_cast<char *>(&named), sizeof named);
        if (!segment || named != before) continue;
        segment.seekp(xlp_sysid).write(reinterpret_cast<const char *>(&after), sizeof after);
    }
}

} // namespace pgat::testing
