// Reads the next page of a replay while the last one is being delivered, on a thread and a session of its own.
//
// At most one page is read ahead: two are in memory, the one with the caller and this one. Give the session
// the interrupt that ends the program's waits; without it, the destructor waits until the page in hand is
// read.
#pragma once

#include <concepts>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "outbox/event.hpp"
#include "postgres/connection.hpp"

namespace pgat::outbox {

// Adds the next page to the chunk; false at the end.
using ReadPage = std::function<bool(postgres::Connection &, Chunk &)>;

class PageAhead {
  public:
    PageAhead(postgres::Connection connection, ReadPage read_page);
    // With a reader of its own.
    template <class Reader>
    requires requires(Reader reader, postgres::Connection &connection, Chunk &chunk) {
        { reader.read_page(connection, chunk) } -> std::same_as<bool>;
    }
    PageAhead(postgres::Connection connection, Reader reader)
        : PageAhead(std::move(connection),
                    ReadPage([reader = std::move(reader)](postgres::Connection &from,
                                                          Chunk &chunk) mutable {
                        return reader.read_page(from, chunk);
                    })) {}
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
    ReadPage read_page_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Chunk> page_;
    std::exception_ptr failure_;
    bool ended_ = false;
    bool unwanted_ = false;
    std::thread thread_; // last: it uses all the others
};

} // namespace pgat::outbox
