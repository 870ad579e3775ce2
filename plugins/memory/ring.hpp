// The last `capacity` texts, oldest overwritten first. Slots are reused, so that keeping a text costs
// a copy and, once the ring is warm, no allocation. Not thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgat::memory {

class Ring {
  public:
    explicit Ring(std::size_t capacity) : capacity_(capacity) {}

    std::size_t capacity() const noexcept { return capacity_; }
    std::size_t size() const noexcept { return slots_.size(); }

    void keep(std::string_view text) {
        if (capacity_ == 0) return;
        if (slots_.size() < capacity_) {
            slots_.emplace_back(text);
            return;
        }
        std::string &slot = slots_[oldest_];
        // One giant must not hold its memory for ever.
        if (slot.capacity() > large && slot.capacity() / 4 > text.size()) std::string().swap(slot);
        slot.assign(text);
        if (++oldest_ == capacity_) oldest_ = 0;
    }

    // The kept texts by age, 0 the oldest.
    std::string_view operator[](std::size_t age) const noexcept {
        return slots_[(oldest_ + age) % slots_.size()];
    }

  private:
    static constexpr std::size_t large = 65536;

    std::size_t capacity_;
    std::size_t oldest_ = 0;
    std::vector<std::string> slots_;
};

} // namespace pgat::memory
