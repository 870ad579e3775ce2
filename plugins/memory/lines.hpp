// Writes lines to a file descriptor, in blocks, and gives up when told to: a pipe whose reader stands
// still must not hold the daemon. Not thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgat::memory {

class Lines {
  public:
    // `fd` stays the caller's.
    explicit Lines(int fd);

    // Adds a line, which has no newline in it, to what write() writes.
    void add(std::string_view text);
    std::size_t pending() const noexcept { return pending_.size(); }

    enum class End { written, cancelled, failed };
    struct Result {
        End end;
        std::size_t lines; // written as a whole
    };

    // Writes what was added. `cancelled()` is asked while the other side takes nothing, and `cancel_fd`
    // (-1: none) ends that wait when it is readable. What could not be written is dropped; errno says
    // why it failed.
    template <class Cancelled>
    Result write(int cancel_fd, Cancelled &&cancelled) {
        std::string_view left = pending_;
        End end = End::written;
        while (!left.empty() && end == End::written)
            end = cancelled() ? End::cancelled : write_some(left, cancel_fd);
        return {end, forget(pending_.size() - left.size())};
    }

  private:
    // Waits a moment for room, then writes what fits and takes it off `left`.
    End write_some(std::string_view &left, int cancel_fd) const;
    // Clears what is pending, of which `written` bytes are out; how many whole lines those were.
    std::size_t forget(std::size_t written);

    int fd_;
    bool may_block_;
    bool torn_ = false; // the last byte out was in the middle of a line
    std::string pending_;
};

} // namespace pgat::memory
