#include "delivery/group_keys.hpp"

#include <pgat/sink.h>

namespace pgat::delivery {

std::string_view GroupKeys::of(const outbox::Event &event) {
    if (pointer_.empty()) return {};
    std::string_view key;
    // Each payload is looked into once.
    const auto kind = json_.get(event.payload, sinks::Lifetime::passing, pointer_, key);
    return kind > PGAT_JSON_NULL ? key : std::string_view{};
}

void GroupKeys::forget() noexcept {
    if (!pointer_.empty()) json_.clear();
}

} // namespace pgat::delivery
