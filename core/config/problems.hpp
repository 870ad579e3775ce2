// What is wrong with a configuration: collected while it is read, so that the operator sees all of it at
// once and mends it in one go. A problem's text never holds the value of a secret.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace pgat::config {

// A value that its key cannot take. Thrown by what reads one value; the reader of the file knows the
// place and the key, and makes a problem of it.
class BadValue : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

class Problems {
  public:
    // `place` is "file:line" or "environment variable NAME"; `key` the full key, or empty.
    void add(const std::string &place, const std::string &key, const std::string &text);

    bool empty() const noexcept { return lines_.empty(); }
    // Throws one Error (Remedy::configure) that names them all, if there are any, in `where`.
    void raise(const std::string &where = "the configuration") const;

  private:
    std::vector<std::string> lines_;
};

} // namespace pgat::config
