#include "outbox/page_ahead.hpp"

#include "base/own_thread.hpp"

namespace pgat::outbox {

PageAhead::PageAhead(postgres::Connection connection, ReadPage read_page)
    : connection_(std::move(connection)), read_page_(std::move(read_page)),
      thread_([this] { read_pages(); }) {}

PageAhead::~PageAhead() {
    {
        const std::lock_guard lock(mutex_);
        unwanted_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

std::optional<Chunk> PageAhead::next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return page_ || ended_; });
    if (page_) {
        auto page = std::exchange(page_, std::nullopt);
        lock.unlock();
        changed_.notify_all();
        return page;
    }
    if (failure_) std::rethrow_exception(failure_);
    return std::nullopt;
}

void PageAhead::read_pages() noexcept {
    this_thread_is_ours();
    std::exception_ptr failure;
    try {
        for (;;) {
            Chunk page;
            if (!read_page_(connection_, page)) break;
            if (!offer(std::move(page))) break;
        }
    } catch (...) {
        failure = std::current_exception();
    }
    {
        const std::lock_guard lock(mutex_);
        failure_ = failure;
        ended_ = true;
    }
    changed_.notify_all();
}

bool PageAhead::offer(Chunk page) {
    std::unique_lock lock(mutex_);
    page_ = std::move(page);
    changed_.notify_all();
    // The next one is begun only when this one is taken: that bounds what is in memory.
    changed_.wait(lock, [this] { return !page_ || unwanted_; });
    return !unwanted_;
}

} // namespace pgat::outbox
