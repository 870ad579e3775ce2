#include "delivery/group_keys.hpp"

namespace pgat::delivery {

std::string_view GroupKeys::of(const outbox::Event &event) {
    if (pointer_.empty()) return {};
    // Each payload is looked into once.
    return json_.find(event.payload, sinks::Lifetime::passing, pointer_);
}

void GroupKeys::forget() noexcept {
    if (!pointer_.empty()) json_.clear();
}

} // namespace pgat::delivery
