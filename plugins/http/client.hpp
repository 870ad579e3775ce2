// libcurl's multi handle: the requests in flight and the connections they share. One thread.
//
// Driven by epoll (libcurl's "multi_socket" interface): only the connections on which something happened
// are looked at, where curl_multi_perform() asks the kernel about each of them every time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include <curl/curl.h>

namespace pgat::http {

class Client {
  public:
    // Keeps up to `connections` open.
    explicit Client(unsigned connections);
    ~Client();

    void start(CURL *easy);
    std::size_t in_flight() const noexcept { return running_.size(); }
    // Breaks off whatever is in flight.
    void abandon_all() noexcept;

    struct Done {
        CURL *easy; // no longer in flight
        CURLcode code;
    };
    // Lets the requests go on; while none is over, waits for sockets, `cancel_fd` (-1: none) or `wait`
    // to end. Returns what is over.
    const std::vector<Done> &run(int cancel_fd, std::chrono::milliseconds wait);

  private:
    using Clock = std::chrono::steady_clock;
    struct MultiDeleter {
        void operator()(CURLM *multi) const noexcept { curl_multi_cleanup(multi); }
    };
    class Poller {
      public:
        Poller();
        ~Poller();
        Poller(const Poller &) = delete;
        Poller &operator=(const Poller &) = delete;
        int fd() const noexcept { return fd_; }

      private:
        int fd_;
    };

    static int watch(CURL *, curl_socket_t socket, int what, void *self, void *known) noexcept;
    static int set_timer(CURLM *, long milliseconds, void *self) noexcept;

    void watch_cancel(int cancel_fd);
    void drive(curl_socket_t socket, int events);
    void drive_timer();
    void wait_for_sockets(std::chrono::milliseconds wait);
    void collect();

    Poller poller_; // before multi_, which lets go of its sockets when it ends
    int cancel_fd_ = -1;
    std::optional<Clock::time_point> timer_; // when libcurl wants to be called for the time's sake
    std::unique_ptr<CURLM, MultiDeleter> multi_;
    std::vector<CURL *> running_;
    std::vector<Done> done_;
};

} // namespace pgat::http
