// What became of the numbered events of several writers, in a file that the sink and whoever watches it share.
//
// Every writer numbers its events 1, 2, 3, … in the order in which it commits them, so each number must be the
// one behind the last. One thread counts, anybody reads.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace pgat::bench {

// The file, as outage.py reads it: eight bytes each.
struct Counts {
    std::int64_t delivered = 0;
    std::int64_t duplicates = 0;
    std::int64_t out_of_order = 0; // a number that is not the one behind the last, and no duplicate
    std::int64_t refused_calls = 0;
    std::int64_t replayed = 0; // since the last refused call: events that came from the table
    std::int64_t first_at = 0; // ns of CLOCK_MONOTONIC: the first event since the last refused call
    std::int64_t last_at = 0;  // and the last one
};

class Tally {
  public:
    explicit Tally(const std::string &file) {
        const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || ::ftruncate(fd, sizeof(Counts)) != 0)
            throw std::runtime_error("cannot open " + file);
        void *const memory =
            ::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ::close(fd);
        if (memory == MAP_FAILED) throw std::runtime_error("cannot map " + file);
        counts_ = static_cast<Counts *>(memory);
        *counts_ = Counts{};
    }
    ~Tally() { ::munmap(counts_, sizeof(Counts)); }
    Tally(const Tally &) = delete;
    Tally &operator=(const Tally &) = delete;

    void refuse() noexcept {
        ++counts_->refused_calls;
        counts_->replayed = counts_->first_at = 0;
    }

    void take(std::size_t writer, std::size_t number, bool replayed) {
        if (writer >= writers_.size()) throw std::runtime_error("an event of an unknown writer");
        auto &[last, seen] = writers_[writer];
        if (seen.size() <= number) seen.resize(2 * number + 1);
        if (seen[number])
            ++counts_->duplicates;
        else if (number != last + 1)
            ++counts_->out_of_order;
        seen[number] = true;
        last = number;
        ++counts_->delivered;
        if (replayed) ++counts_->replayed;
    }

    // A batch was taken.
    void stamp() noexcept {
        counts_->last_at = std::chrono::steady_clock::now().time_since_epoch().count();
        if (counts_->first_at == 0) counts_->first_at = counts_->last_at;
    }

  private:
    struct Writer {
        std::size_t last = 0;
        std::vector<bool> seen;
    };

    Counts *counts_;
    std::array<Writer, 64> writers_;
};

} // namespace pgat::bench
