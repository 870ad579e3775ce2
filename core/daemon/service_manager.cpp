#include "daemon/service_manager.hpp"

#include <cstdint>
#include <cstdlib>

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

namespace pgat::daemon {

namespace {

std::string status_of(const Situation::View &view) {
    if (view.failover) return "failover: the sink is down, events wait in the table";
    if (view.trouble) return fmt::format("{}: {}", name_of(view.phase), view.trouble->what);
    return std::string(name_of(view.phase));
}

// A status is a line of its own in the message.
std::string one_line(std::string text) {
    for (char &c : text)
        if (c == '\n') c = ' ';
    return text;
}

} // namespace

// NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets the environment
ServiceManager::ServiceManager() : present_(std::getenv("NOTIFY_SOCKET") != nullptr) {
    std::uint64_t limit = 0;
    if (present_ && ::sd_watchdog_enabled(0, &limit) > 0)
        sign_interval_ = std::chrono::microseconds(limit / 2);
}

void ServiceManager::tell(const Situation::View &view, const std::optional<std::string> &ailment) {
    if (!present_) return;
    std::string message;
    if (!ready_ && (view.phase != Phase::starting || view.trouble)) {
        ready_ = true;
        message += "READY=1\n";
    }
    if (!ailment && sign_interval_.count() > 0 && Clock::now() >= next_sign_) {
        next_sign_ = Clock::now() + sign_interval_;
        message += "WATCHDOG=1\n";
    }
    if (auto status = one_line(ailment.value_or(status_of(view)));
        !stopping_ && status != status_) {
        status_ = std::move(status);
        message += "STATUS=" + status_ + "\n";
    }
    if (!message.empty()) ::sd_notify(0, message.c_str());
}

void ServiceManager::stopping(std::chrono::seconds limit) {
    if (!present_) return;
    stopping_ = true;
    const auto patience = std::chrono::microseconds(limit + std::chrono::seconds(5)).count();
    ::sd_notify(
        0, fmt::format("STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC={}\n", patience).c_str());
}

} // namespace pgat::daemon
