// Compresses request bodies, one after the other, with the same working memory. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace pgat::http {

class Gzip {
  public:
    Gzip();
    ~Gzip();
    Gzip(Gzip &&) noexcept;

    // Replaces `out` by `text` as a gzip file.
    void compress(std::string_view text, std::string &out);

  private:
    struct Stream;
    std::unique_ptr<Stream> stream_;
};

} // namespace pgat::http
