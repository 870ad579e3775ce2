// A TCP proxy in front of a server, to cut the network: what is held arrives nowhere, without FIN or RST.
//
// All functions may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "base/wakeup.hpp"

namespace pgat::support {

class Proxy {
  public:
    explicit Proxy(std::uint16_t server_port);
    ~Proxy();
    Proxy(const Proxy &) = delete;
    Proxy &operator=(const Proxy &) = delete;

    std::uint16_t port() const noexcept { return port_; }
    // Forwards nothing on any connection, and accepts none, until mend().
    void cut() noexcept { set(true); }
    // Connections that were cut stay dead, as after a change of route; new ones work.
    void mend() noexcept { set(false); }
    // New connections lead there: one after the other to each of these, and round again.
    void lead_to(std::vector<std::uint16_t> server_ports);
    // Ends every connection at once, with a RST to both sides.
    void reset() noexcept {
        reset_ = true;
        bell_.ring();
    }

  private:
    void set(bool cut) noexcept {
        cut_ = cut;
        bell_.ring();
    }
    void run();

    std::uint16_t next_server();

    std::mutex mutex_;
    std::vector<std::uint16_t> servers_;
    std::size_t next_server_ = 0;
    int listener_;
    std::uint16_t port_ = 0;
    std::atomic<bool> cut_{false};
    std::atomic<bool> reset_{false};
    std::atomic<bool> over_{false};
    Wakeup bell_;
    std::thread thread_;
};

} // namespace pgat::support
