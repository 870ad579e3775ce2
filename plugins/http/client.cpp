#include "http/client.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>

namespace pgat::http {

namespace {

void must(CURLMcode code) {
    if (code == CURLM_OUT_OF_MEMORY) throw std::bad_alloc();
    if (code != CURLM_OK)
        throw std::runtime_error(std::string("libcurl: ") + curl_multi_strerror(code));
}

} // namespace

Client::Client(unsigned connections) : multi_(curl_multi_init()) {
    if (!multi_) throw std::bad_alloc();
    must(curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(connections)));
    must(curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS,
                           static_cast<long>(connections)));
}

Client::~Client() { abandon_all(); }

void Client::start(CURL *easy) {
    running_.push_back(easy);
    const CURLMcode code = curl_multi_add_handle(multi_.get(), easy);
    if (code != CURLM_OK) running_.pop_back();
    must(code);
}

void Client::abandon_all() noexcept {
    for (CURL *easy : running_)
        curl_multi_remove_handle(multi_.get(), easy);
    running_.clear();
}

const std::vector<Client::Done> &Client::run(int cancel_fd, std::chrono::milliseconds wait) {
    done_.clear();
    perform();
    collect();
    if (!done_.empty()) return done_;
    curl_waitfd extra{};
    extra.fd = cancel_fd;
    extra.events = CURL_WAIT_POLLIN;
    must(curl_multi_poll(multi_.get(), &extra, cancel_fd < 0 ? 0 : 1,
                         static_cast<int>(wait.count()), nullptr));
    perform();
    collect();
    return done_;
}

void Client::perform() {
    int running = 0;
    must(curl_multi_perform(multi_.get(), &running));
}

void Client::collect() {
    int left = 0;
    while (CURLMsg *message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        // The message is gone once its handle is removed.
        const Done done{message->easy_handle, message->data.result};
        curl_multi_remove_handle(multi_.get(), done.easy);
        running_.erase(std::find(running_.begin(), running_.end(), done.easy));
        done_.push_back(done);
    }
}

} // namespace pgat::http
