// Reads a replay's next page while the last one is being delivered, on a thread and a session of its own.
//
// At most one page is read ahead: two are in memory, the one with the caller and this one. Give the session
// the interrupt that ends the program's waits; without it, the destructor waits until the page in hand is
// read.
#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "outbox/event.hpp"
#include "outbox/replay_reader.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

class PageAhead {
  public:
    PageAhead(postgres::Connection connection, ReplayReader reader);
    ~PageAhead();
    PageAhead(const PageAhead &) = delete;
    PageAhead &operator=(const PageAhead &) = delete;

    // The next page, once it is read; nothing at the end of the round. Throws what reading threw, and
    // again at every further call.
    std::optional<Chunk> next();

  private:
    void read_pages() noexcept;
    // False: nobody wants any more.
    bool offer(Chunk page);

    postgres::Connection connection_;
    ReplayReader reader_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Chunk> page_;
    std::exception_ptr failure_;
    bool ended_ = false;
    bool unwanted_ = false;
    std::thread thread_; // last: it uses all the others
};

} // namespace pgat::outbox
