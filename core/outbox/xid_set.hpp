// A set of transaction ids for the hot path: open addressing in one block, so that adding and
// asking cost a few nanoseconds and a copy is one memcpy.
#pragma once

#include <cstddef>
#include <vector>

#include "base/identifiers.hpp"

namespace pgat::outbox {

class XidSet {
  public:
    bool contains(Xid xid) const noexcept {
        if (size_ == 0) return false;
        for (std::size_t at = first_slot(xid);; at = (at + 1) & mask()) {
            if (slots_[at] == Xid{}) return false;
            if (slots_[at] == xid) return true;
        }
    }

    // False if it was in already. Xid 0, which no transaction has, is never in.
    bool insert(Xid xid);

    template <class Predicate>
    void erase_if(Predicate gone) {
        std::size_t left = 0;
        for (const Xid xid : slots_)
            if (xid != Xid{} && !gone(xid)) ++left;
        if (left != size_) rebuild(left, gone);
    }

    void clear() noexcept {
        slots_.clear();
        size_ = 0;
    }

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    // Ascending.
    std::vector<Xid> sorted() const;

  private:
    std::size_t mask() const noexcept { return slots_.size() - 1; }
    std::size_t first_slot(Xid xid) const noexcept {
        // Fibonacci hashing: neighbours, which xids mostly are, spread over the whole block.
        return static_cast<std::size_t>((xid.value() * 0x9E3779B97F4A7C15ULL) >> 32) & mask();
    }
    void place(Xid xid) noexcept;

    template <class Predicate>
    void rebuild(std::size_t left, Predicate gone) {
        std::vector<Xid> kept;
        kept.reserve(left);
        for (const Xid xid : slots_)
            if (xid != Xid{} && !gone(xid)) kept.push_back(xid);
        assign(kept);
    }
    void assign(const std::vector<Xid> &xids);

    std::vector<Xid> slots_; // a power of two, at most half of them taken; 0 is free
    std::size_t size_ = 0;
};

} // namespace pgat::outbox
