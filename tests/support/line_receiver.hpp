// A server inside the test, on a free port of 127.0.0.1: keeps each line that it gets, and answers it with a line.
//
// All functions may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace pgat::support {

class LineReceiver {
  public:
    LineReceiver();
    ~LineReceiver();
    LineReceiver(const LineReceiver &) = delete;
    LineReceiver &operator=(const LineReceiver &) = delete;

    std::uint16_t port() const noexcept { return port_; }
    // All lines so far, of all connections, each with its newline.
    std::string lines() const;
    // What lines are answered with from now on: "ok" at first; empty: nothing.
    void answer_with(std::string answer);
    // Refuses connections and closes those that there are; and takes them again, on the same port.
    void go_away();
    void come_back();

  private:
    void serve();
    void take(int connection);
    void listen();

    std::uint16_t port_ = 0;
    int listener_ = -1;
    int stop_ = -1;                    // readable once serve() is to return
    std::map<int, std::string> begun_; // per connection, the line that has no end yet
    mutable std::mutex mutex_;
    std::string answer_ = "ok";
    std::string lines_;
    std::thread server_;
};

} // namespace pgat::support
