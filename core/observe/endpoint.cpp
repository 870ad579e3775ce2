#include "observe/endpoint.hpp"

#include <algorithm>
#include <atomic>
#include <set>

#include <httplib.h>
#include <sys/socket.h>

#include "base/own_thread.hpp"
#include "observe/log.hpp"

namespace pgat::observe {

namespace {

constexpr Log log{"endpoint"};

// "example:9464" → "example", "[::1]:9464" → "[::1]".
std::string host_of(const std::string &authority) {
    const auto colon = authority.rfind(':');
    const bool has_port =
        colon != std::string::npos && authority.find(']', colon) == authority.npos;
    std::string host = has_port ? authority.substr(0, colon) : authority;
    std::transform(host.begin(), host.end(), host.begin(), [](unsigned char letter) {
        return static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
    });
    return host;
}

std::string without_brackets(const std::string &host) {
    return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

} // namespace

struct Endpoint::Server {
    httplib::Server http;
    std::set<std::string> hosts{"localhost", "127.0.0.1", "[::1]"};
    std::atomic<bool> ended{false};
};

Endpoint::Endpoint(const config::Observability &config, std::map<std::string, Make> pages) {
    if (config.listen.empty()) return;
    const std::string host = host_of(config.listen);
    const int port = std::stoi(config.listen.substr(config.listen.rfind(':') + 1));
    server_ = std::make_unique<Server>();
    server_->hosts.insert(host);
    for (const auto &more : config.hosts)
        server_->hosts.insert(host_of(more));

    auto &http = server_->http;
    // A scrape, a probe and some pages that are open; each connection is soon free again.
    http.new_task_queue = [] { return new httplib::ThreadPool(4); };
    // The library would share the port with another daemon (SO_REUSEPORT), and each scrape reach one of them.
    http.set_socket_options([](int socket) {
        const int yes = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    http.set_read_timeout(5);
    http.set_write_timeout(5);
    http.set_keep_alive_timeout(1);
    http.set_payload_max_length(1024);
    http.set_pre_routing_handler([this](const auto &request, auto &response) {
        if (server_->hosts.contains(host_of(request.get_header_value("Host"))))
            return httplib::Server::HandlerResponse::Unhandled;
        response.status = 403;
        response.set_content("not a host name of this endpoint; observability.hosts adds some\n",
                             "text/plain");
        return httplib::Server::HandlerResponse::Handled;
    });
    for (auto &[path, make] : pages)
        http.Get(path, [make = std::move(make)](const auto &, auto &response) {
            this_thread_is_ours();
            const Page page = make();
            response.status = page.status;
            for (const auto &[name, value] : page.headers)
                response.set_header(name, value);
            // Whatever a page holds, a browser takes it for nothing else, and keeps none of it.
            response.set_header("X-Content-Type-Options", "nosniff");
            response.set_header("Cache-Control", "no-store");
            response.set_content(page.body, page.type);
        });

    const std::string address = without_brackets(host);
    if (port == 0)
        port_ = http.bind_to_any_port(address);
    else if (http.bind_to_port(address, port))
        port_ = port;
    if (port_ <= 0) {
        port_ = 0;
        log.warn(
            "cannot listen, the daemon goes on without metrics",
            {{"listen", config.listen},
             {"hint", "is another daemon's endpoint there? set observability.listen to another "
                      "address, or to \"\" for none"}});
        server_.reset();
        return;
    }
    thread_ = std::thread([this] {
        this_thread_is_ours();
        server_->http.listen_after_bind();
        server_->ended = true;
    });
    log.info("listening", {{"address", host}, {"port", port_}});
}

Endpoint::~Endpoint() {
    if (!server_) return;
    // stop() does nothing to a server that has not begun yet.
    while (!server_->http.is_running() && !server_->ended)
        std::this_thread::yield();
    server_->http.stop();
    thread_.join();
}

} // namespace pgat::observe
