#include "support/waiting.hpp"

#include <poll.h>

namespace pgat::support {

bool eventually(const std::function<bool()> &condition, std::chrono::milliseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return condition();
        ::poll(nullptr, 0, 5);
    }
    return true;
}

} // namespace pgat::support
