// The HTTP endpoint of a running daemon: answers GET for a few fixed paths, and changes nothing.
//
// Answers only requests that name a host of its own (the address it listens on, localhost, and those of
// observability.hosts), so that a page of somebody else's in a browser cannot read it by a name that leads here.
// An address that is taken is a warning, and the daemon goes on without.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "config/config.hpp"

namespace pgat::observe {

struct Page {
    std::string type; // Content-Type
    std::string body;
    int status = 200;
    std::map<std::string, std::string> headers = {};
};

class Endpoint {
  public:
    // [the endpoint's threads] Makes the page now.
    using Make = std::function<Page()>;

    // By path: "/metrics". What cannot be made is answered with 500, and logged. Nothing is listened on where observability.listen is empty.
    Endpoint(const config::Observability &config, std::map<std::string, Make> pages);
    // No page is being made any more.
    ~Endpoint();
    Endpoint(const Endpoint &) = delete;
    Endpoint &operator=(const Endpoint &) = delete;

    // Where it listens: the port that was chosen, if 0 was asked for. 0: nowhere.
    int port() const noexcept { return port_; }

  private:
    struct Server;
    std::unique_ptr<Server> server_;
    int port_ = 0;
    std::thread thread_;
};

} // namespace pgat::observe
