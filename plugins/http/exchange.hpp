// One request and its answer. An exchange is used again and again: its handle, its headers and its buffers
// stay, so that a request allocates next to nothing.
//
// Not movable: libcurl holds pointers into it.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/easy.hpp"
#include "http/settings.hpp"
#include "http/target.hpp"

namespace pgat::http {

// What came back. The texts are good until the next request of the exchange.
struct Answer {
    long status = 0;        // 0: none came
    std::string_view body;  // its beginning
    std::string_view error; // libcurl's words, where no status came
    CURLcode code = CURLE_OK;
    bool new_connection = false;
    std::chrono::milliseconds retry_after{0};
    std::chrono::microseconds took{0};
};

class Exchange {
  public:
    // `settings` outlives the exchange.
    Exchange(const Settings &settings, std::string_view user_agent);
    Exchange(const Exchange &) = delete;
    Exchange &operator=(const Exchange &) = delete;

    CURL *handle() const noexcept { return easy_.get(); }

    struct Stamp {
        std::string_view id;
        std::string_view timestamp;
        std::string_view signature; // empty where nothing signs
    };
    // Makes the next request ready. `body` stays where it is until the request is over.
    void prepare(const Target &target, const Stamp &stamp, std::string_view body);

    // After the request is over with `code`.
    Answer answer(CURLcode code) const;

    // Working memory for the body, for whoever composes it.
    std::string body;
    std::string compressed;
    // Between requests: gives back what only a giant needed.
    void release_large_buffers() noexcept;

  private:
    static std::size_t receive(char *data, std::size_t size, std::size_t count,
                               void *self) noexcept;
    std::size_t add_line(std::string_view name, std::string_view value);
    void set_line(std::size_t line, std::string_view name, std::string_view value);
    void link_lines();

    const Settings &settings_;
    Easy easy_;
    std::string url_;
    std::vector<std::string> lines_; // "Name: value", the ones that change last
    std::vector<curl_slist> nodes_;  // the same as libcurl reads them
    std::size_t first_changing_ = 0;
    std::string received_;
    std::size_t received_size_ = 0;
    std::array<char, CURL_ERROR_SIZE> error_{};
};

} // namespace pgat::http
