// An eventfd that other threads ring to end a poll(2). One owner waits on fd(); any thread may
// ring().
#pragma once

namespace pgat {

class Wakeup {
  public:
    Wakeup();
    ~Wakeup();
    Wakeup(const Wakeup &) = delete;
    Wakeup &operator=(const Wakeup &) = delete;

    // Readable from ring() until clear(). Never read or close it yourself.
    int fd() const noexcept { return fd_; }
    // [any thread, and signal handlers]
    void ring() noexcept;
    void clear() noexcept;

  private:
    int fd_;
};

} // namespace pgat
