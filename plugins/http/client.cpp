#include "http/client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include <sys/epoll.h>
#include <unistd.h>

namespace pgat::http {

namespace {

using std::chrono::milliseconds;

void must(CURLMcode code) {
    if (code == CURLM_OUT_OF_MEMORY) throw std::bad_alloc();
    if (code != CURLM_OK)
        throw std::runtime_error(std::string("libcurl: ") + curl_multi_strerror(code));
}

// CURL_POLL_IN, _OUT, _INOUT as epoll says it.
std::uint32_t epoll_events(int what) noexcept {
    std::uint32_t events = 0;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
    return events;
}

int happened(std::uint32_t events) noexcept {
    int mask = 0;
    if ((events & (EPOLLIN | EPOLLHUP)) != 0) mask |= CURL_CSELECT_IN;
    if ((events & EPOLLOUT) != 0) mask |= CURL_CSELECT_OUT;
    if ((events & EPOLLERR) != 0) mask |= CURL_CSELECT_ERR;
    return mask;
}

} // namespace

Client::Poller::Poller() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
}

Client::Poller::~Poller() { ::close(fd_); }

Client::Client(unsigned connections) : multi_(curl_multi_init()) {
    if (!multi_) throw std::bad_alloc();
    CURLM *const multi = multi_.get();
    must(curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(connections)));
    must(curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(connections)));
    must(curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Client::watch));
    must(curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, static_cast<void *>(this)));
    must(curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Client::set_timer));
    must(curl_multi_setopt(multi, CURLMOPT_TIMERDATA, static_cast<void *>(this)));
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

const std::vector<Client::Done> &Client::run(int cancel_fd, milliseconds wait) {
    done_.clear();
    drive_timer(); // what was just started begins here
    collect();
    if (!done_.empty()) return done_;
    watch_cancel(cancel_fd);
    wait_for_sockets(wait);
    drive_timer();
    collect();
    return done_;
}

void Client::wait_for_sockets(milliseconds wait) {
    if (timer_) {
        const auto until = std::chrono::ceil<milliseconds>(*timer_ - Clock::now());
        wait = std::clamp(until, milliseconds::zero(), wait);
    }
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(poller_.fd(), events.data(), static_cast<int>(events.size()),
                                   static_cast<int>(wait.count()));
    if (count < 0 && errno != EINTR)
        throw std::system_error(errno, std::system_category(), "epoll_wait");
    for (int i = 0; i < count; ++i) {
        const epoll_event &event = events[static_cast<std::size_t>(i)];
        if (event.data.fd != cancel_fd_) drive(event.data.fd, happened(event.events));
    }
}

void Client::drive(curl_socket_t socket, int events) {
    int running = 0;
    must(curl_multi_socket_action(multi_.get(), socket, events, &running));
}

void Client::drive_timer() {
    if (!timer_ || Clock::now() < *timer_) return;
    timer_.reset(); // before the call, which may set it anew
    drive(CURL_SOCKET_TIMEOUT, 0);
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

void Client::watch_cancel(int cancel_fd) {
    if (cancel_fd == cancel_fd_) return;
    if (cancel_fd_ >= 0) ::epoll_ctl(poller_.fd(), EPOLL_CTL_DEL, cancel_fd_, nullptr);
    cancel_fd_ = cancel_fd;
    if (cancel_fd < 0) return;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = cancel_fd;
    if (::epoll_ctl(poller_.fd(), EPOLL_CTL_ADD, cancel_fd, &event) != 0)
        throw std::system_error(errno, std::system_category(), "epoll_ctl");
}

// libcurl's word on which sockets matter and for what. `known` is what curl_multi_assign() left: not null for a
// socket that is among those of poller_. A non-zero answer breaks off all that is in flight.
int Client::watch(CURL *, curl_socket_t socket, int what, void *self, void *known) noexcept {
    const Client &client = *static_cast<Client *>(self);
    const int poller = client.poller_.fd();
    if (what == CURL_POLL_REMOVE) {
        // Fails where the socket is closed already, which has removed it.
        ::epoll_ctl(poller, EPOLL_CTL_DEL, socket, nullptr);
        return 0;
    }
    epoll_event event{};
    event.events = epoll_events(what);
    event.data.fd = socket;
    if (known != nullptr) return ::epoll_ctl(poller, EPOLL_CTL_MOD, socket, &event);
    if (::epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event) != 0) return -1;
    curl_multi_assign(client.multi_.get(), socket, self);
    return 0;
}

int Client::set_timer(CURLM *, long wait, void *self) noexcept {
    Client &client = *static_cast<Client *>(self);
    if (wait < 0) {
        client.timer_.reset();
    } else {
        client.timer_ = Clock::now() + milliseconds(wait);
    }
    return 0;
}

} // namespace pgat::http
