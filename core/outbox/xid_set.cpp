#include "outbox/xid_set.hpp"

#include <algorithm>
#include <bit>

namespace pgat::outbox {

bool XidSet::insert(Xid xid) {
    if (xid == Xid{} || contains(xid)) return false;
    if ((size_ + 1) * 2 > slots_.size()) {
        const std::vector<Xid> old = std::move(slots_);
        slots_.assign(std::max<std::size_t>(16, old.size() * 2), Xid{});
        for (const Xid moved : old)
            if (moved != Xid{}) place(moved);
    }
    place(xid);
    ++size_;
    return true;
}

void XidSet::place(Xid xid) noexcept {
    std::size_t at = first_slot(xid);
    while (slots_[at] != Xid{})
        at = (at + 1) & mask();
    slots_[at] = xid;
}

void XidSet::assign(const std::vector<Xid> &xids) {
    size_ = xids.size();
    if (xids.empty()) {
        slots_.clear();
        return;
    }
    slots_.assign(std::max<std::size_t>(16, std::bit_ceil(xids.size() * 2)), Xid{});
    for (const Xid xid : xids)
        place(xid);
}

std::vector<Xid> XidSet::sorted() const {
    std::vector<Xid> xids;
    xids.reserve(size_);
    for (const Xid xid : slots_)
        if (xid != Xid{}) xids.push_back(xid);
    std::sort(xids.begin(), xids.end());
    return xids;
}

} // namespace pgat::outbox
