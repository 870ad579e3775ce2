// An HTTP server inside the test, on a free port of 127.0.0.1: keeps what it gets and answers as told.
//
// All functions may be called from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/certificate.hpp"

namespace pgat::support {

struct HttpRequest {
    std::string method;
    std::string target; // path and query as they were sent
    std::string body;   // uncompressed
    std::multimap<std::string, std::string> headers;
    int remote_port = 0; // tells connections apart

    // The header's value whatever its case; empty: it has none.
    std::string header(std::string_view name) const;
};

struct HttpAnswer {
    int status = 200;
    std::string body;
    std::map<std::string, std::string> headers;
};

class HttpReceiver {
  public:
    struct Tls {
        const Certificate *certificate;      // the server's
        const Certificate *client = nullptr; // the one that clients must show, if any
    };

    HttpReceiver();
    explicit HttpReceiver(const Tls &tls);
    ~HttpReceiver();
    HttpReceiver(const HttpReceiver &) = delete;
    HttpReceiver &operator=(const HttpReceiver &) = delete;

    std::uint16_t port() const noexcept;
    // "http://127.0.0.1:<port>" or https, with `path` behind it.
    std::string url(std::string_view path = "/") const;

    // How requests are answered from now on; the first answer is 200 to all. Runs on the server's
    // threads, several at once, while the request counts as received already.
    using Script = std::function<HttpAnswer(const HttpRequest &)>;
    void answer_with(Script script);
    void answer_with(int status) {
        answer_with([status](const HttpRequest &) { return HttpAnswer{status, {}, {}}; });
    }

    // In the order in which they came in.
    std::vector<HttpRequest> requests() const;
    // Waits until there are `count`. False: not within `limit`.
    bool wait_for(std::size_t count,
                  std::chrono::milliseconds limit = std::chrono::seconds(30)) const;
    void forget();

    // How many requests were being answered at the same time, at most.
    std::size_t most_at_once() const;
    // How many connections the requests came by.
    std::size_t connections() const;

    // Refuses connections until start(), which listens on the same port, or throws std::runtime_error while
    // somebody else has it. stop() waits for answers that are being given.
    void stop();
    void start();

  private:
    struct Server;
    std::unique_ptr<Server> server_;
};

} // namespace pgat::support
