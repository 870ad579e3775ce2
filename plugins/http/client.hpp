// libcurl's multi handle: the requests in flight and the connections they share. One thread.
#pragma once

#include <chrono>
#include <memory>
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
    struct MultiDeleter {
        void operator()(CURLM *multi) const noexcept { curl_multi_cleanup(multi); }
    };

    void perform();
    void collect();

    std::unique_ptr<CURLM, MultiDeleter> multi_;
    std::vector<CURL *> running_;
    std::vector<Done> done_;
};

} // namespace pgat::http
