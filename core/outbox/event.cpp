#include "outbox/event.hpp"

#include <cstring>

namespace pgat::outbox {

char *Arena::reserve(std::size_t size) {
    if (size > left_) {
        // What does not fit a block well gets one of its own, and the current one goes on being
        // filled.
        if (size > block_size / 4) {
            blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
            return blocks_.back().get();
        }
        blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_size));
        free_ = blocks_.back().get();
        left_ = block_size;
    }
    char *const place = free_;
    free_ += size;
    left_ -= size;
    return place;
}

std::string_view Arena::copy(std::string_view text) {
    if (text.empty()) return {};
    char *const place = reserve(text.size());
    std::memcpy(place, text.data(), text.size());
    return {place, text.size()};
}

} // namespace pgat::outbox
