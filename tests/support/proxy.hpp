// A TCP proxy in front of a server, to cut the network: what is held arrives nowhere, without FIN or RST.
//
// All functions may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

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

    const std::uint16_t server_port_;
    int listener_;
    std::uint16_t port_ = 0;
    std::atomic<bool> cut_{false};
    std::atomic<bool> reset_{false};
    std::atomic<bool> over_{false};
    Wakeup bell_;
    std::thread thread_;
};

} // namespace pgat::support
