#include "sinks/conformance/slate.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <span>
#include <system_error>

#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace pgat::conformance {
namespace {

Slate *current = nullptr;

std::int64_t now() noexcept {
    return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

void copy(std::span<char> to, std::string_view text) noexcept {
    const std::size_t size = std::min(text.size(), to.size() - 1);
    std::memcpy(to.data(), text.data(), size);
    to[size] = '\0';
}

} // namespace

Slate *Slate::make() {
    void *memory =
        ::mmap(nullptr, sizeof(Slate), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    return new (memory) Slate;
}

void Slate::destroy(Slate *slate) noexcept { ::munmap(slate, sizeof(Slate)); }

void Slate::enter(std::string_view step, std::chrono::nanoseconds limit, std::string_view overdue) {
    if (::gettid() != ::getpid())
        return; // two sinks on two threads: what the main thread does stands
    leave();
    copy(step_, step);
    copy(overdue_, overdue);
    due_.store(now() + limit.count(), std::memory_order_release);
}

void Slate::leave() noexcept {
    if (::gettid() == ::getpid()) due_.store(0, std::memory_order_release);
}

void Slate::write(const Finding &finding) {
    const nlohmann::json json = {static_cast<int>(finding.mark), finding.reason, finding.advice,
                                 finding.undelivered};
    std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (text.size() > sizeof finding_)
        text = nlohmann::json{static_cast<int>(finding.mark), "too much to say",
                              nlohmann::json::array(), finding.undelivered}
                   .dump();
    std::memcpy(finding_, text.data(), text.size());
    finding_size_ = static_cast<std::uint32_t>(text.size());
    done_.store(true, std::memory_order_release);
}

void Slate::crashed(const char *how) noexcept { copy(crash_, how); }

bool Slate::overdue() const noexcept {
    const auto due = due_.load(std::memory_order_acquire);
    return due != 0 && now() > due;
}

Finding Slate::finding() const {
    const auto json = nlohmann::json::parse(std::string_view(finding_, finding_size_));
    return {static_cast<Mark>(json[0].get<int>()), json[1], json[2], json[3]};
}

Slate &slate() noexcept { return *current; }
void set_slate(Slate *slate) noexcept { current = slate; }

} // namespace pgat::conformance
