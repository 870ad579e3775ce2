#include "base/fault_point.hpp"

#ifdef PGAT_FAULT_POINTS

#include <atomic>
#include <cstdlib>
#include <string>

#include <unistd.h>

namespace pgat {

namespace {

struct Chosen {
    std::string name;
    std::atomic<long> passes{1};

    Chosen() {
        const char *const text = std::getenv("PGAT_FAULT_POINT"); // NOLINT(concurrency-mt-unsafe)
        if (text == nullptr) return;
        name = text;
        const auto colon = name.find(':');
        if (colon == std::string::npos) return;
        passes = std::strtol(name.c_str() + colon + 1, nullptr, 10);
        name.resize(colon);
    }
};

} // namespace

void fault_point(const char *name) noexcept {
    static Chosen chosen;
    if (chosen.name == name && --chosen.passes == 0) ::_exit(fault_point_status);
}

} // namespace pgat

#endif
