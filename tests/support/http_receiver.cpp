#include "support/http_receiver.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <strings.h>
#include <thread>

#include <httplib.h>

#include "support/waiting.hpp"

namespace pgat::support {

namespace {

// A connection that is kept open keeps a thread.
constexpr std::size_t threads = 64;
constexpr std::size_t no_limit = 1000000;
constexpr std::size_t largest_body = std::size_t{1} << 30U;

} // namespace

std::string HttpRequest::header(std::string_view name) const {
    for (const auto &[key, value] : headers)
        if (key.size() == name.size() && strncasecmp(key.data(), name.data(), name.size()) == 0)
            return value;
    return {};
}

struct HttpReceiver::Server {
    explicit Server(const Tls &with_tls) : tls(with_tls) { start(); }
    ~Server() { stop(); }

    void start() {
        if (http) return;
        if (tls.certificate == nullptr) {
            http = std::make_unique<httplib::Server>();
        } else {
            http = std::make_unique<httplib::SSLServer>(
                tls.certificate->certificate_file().c_str(), tls.certificate->key_file().c_str(),
                tls.client != nullptr ? tls.client->certificate_file().c_str() : nullptr);
        }
        http->new_task_queue = [] { return new httplib::ThreadPool(threads); };
        http->set_keep_alive_max_count(no_limit);
        http->set_payload_max_length(largest_body);
        http->set_tcp_nodelay(true);
        const auto handler = [this](const httplib::Request &request, httplib::Response &response) {
            handle(request, response);
        };
        http->Post(".*", handler).Put(".*", handler).Patch(".*", handler).Get(".*", handler);
        const bool bound = port != 0 ? http->bind_to_port("127.0.0.1", port)
                                     : (port = http->bind_to_any_port("127.0.0.1")) > 0;
        if (!bound) {
            http.reset();
            throw std::runtime_error("the test's HTTP server cannot listen");
        }
        listener = std::thread([this] { http->listen_after_bind(); });
        // stop() has no effect on a server that does not run yet.
        if (!eventually([this] { return http->is_running(); }))
            throw std::runtime_error("the test's HTTP server does not start");
    }

    void stop() {
        if (!http) return;
        http->stop();
        listener.join();
        http.reset();
    }

    void handle(const httplib::Request &request, httplib::Response &response) {
        HttpRequest received{request.method, request.target, request.body, {}, request.remote_port};
        received.headers.insert(request.headers.begin(), request.headers.end());
        Script answer;
        {
            const std::lock_guard lock(mutex);
            requests.push_back(received);
            connections.insert(received.remote_port);
            most_at_once = std::max(most_at_once, ++at_once);
            answer = script;
        }
        arrived.notify_all();
        const HttpAnswer given = answer ? answer(received) : HttpAnswer{};
        response.status = given.status;
        response.set_content(given.body, "text/plain");
        for (const auto &[name, value] : given.headers)
            response.set_header(name, value);
        const std::lock_guard lock(mutex);
        --at_once;
    }

    Tls tls;
    std::unique_ptr<httplib::Server> http;
    std::thread listener;
    int port = 0;

    std::mutex mutex;
    std::condition_variable arrived;
    std::vector<HttpRequest> requests;
    std::set<int> connections;
    Script script;
    std::size_t at_once = 0;
    std::size_t most_at_once = 0;
};

HttpReceiver::HttpReceiver() : HttpReceiver(Tls{nullptr, nullptr}) {}
HttpReceiver::HttpReceiver(const Tls &tls) : server_(std::make_unique<Server>(tls)) {}
HttpReceiver::~HttpReceiver() = default;

std::uint16_t HttpReceiver::port() const noexcept {
    return static_cast<std::uint16_t>(server_->port);
}

std::string HttpReceiver::url(std::string_view path) const {
    return std::string(server_->tls.certificate != nullptr ? "https" : "http") +
           "://127.0.0.1:" + std::to_string(server_->port) + std::string(path);
}

void HttpReceiver::answer_with(Script script) {
    const std::lock_guard lock(server_->mutex);
    server_->script = std::move(script);
}

std::vector<HttpRequest> HttpReceiver::requests() const {
    const std::lock_guard lock(server_->mutex);
    return server_->requests;
}

bool HttpReceiver::wait_for(std::size_t count, std::chrono::milliseconds limit) const {
    std::unique_lock lock(server_->mutex);
    return server_->arrived.wait_for(lock, limit,
                                     [&] { return server_->requests.size() >= count; });
}

void HttpReceiver::forget() {
    const std::lock_guard lock(server_->mutex);
    server_->requests.clear();
    server_->connections.clear();
    server_->most_at_once = server_->at_once;
}

std::size_t HttpReceiver::most_at_once() const {
    const std::lock_guard lock(server_->mutex);
    return server_->most_at_once;
}

std::size_t HttpReceiver::connections() const {
    const std::lock_guard lock(server_->mutex);
    return server_->connections.size();
}

void HttpReceiver::stop() { server_->stop(); }
void HttpReceiver::start() { server_->start(); }

} // namespace pgat::support
