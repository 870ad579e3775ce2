#include "http/gzip.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <stdexcept>

#include <zlib.h>

namespace pgat::http {

namespace {

constexpr int gzip_format = 15 + 16; // the largest window, and zlib's mark for gzip
constexpr int memory_level = 8;

uInt piece(std::size_t size) {
    return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

} // namespace

struct Gzip::Stream {
    Stream() {
        if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_format, memory_level,
                         Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::bad_alloc();
    }
    ~Stream() { deflateEnd(&z); }
    Stream(const Stream &) = delete;
    Stream &operator=(const Stream &) = delete;

    z_stream z{};
};

Gzip::Gzip() : stream_(std::make_unique<Stream>()) {}
Gzip::~Gzip() = default;
Gzip::Gzip(Gzip &&) noexcept = default;

void Gzip::compress(std::string_view text, std::string &out) {
    z_stream &z = stream_->z;
    deflateReset(&z);
    out.resize(deflateBound(&z, text.size()));
    std::size_t read = 0;
    std::size_t written = 0;
    int status = Z_OK;
    while (status == Z_OK) {
        // zlib takes its input by a pointer that is not const, and does not write to it.
        z.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(text.data() + read));
        z.avail_in = piece(text.size() - read);
        z.next_out = reinterpret_cast<Bytef *>(out.data() + written);
        z.avail_out = piece(out.size() - written);
        const uInt in = z.avail_in;
        const uInt room = z.avail_out;
        status = deflate(&z, read + in == text.size() ? Z_FINISH : Z_NO_FLUSH);
        read += in - z.avail_in;
        written += room - z.avail_out;
    }
    if (status != Z_STREAM_END) throw std::runtime_error("zlib cannot compress the body");
    out.resize(written);
}

} // namespace pgat::http
