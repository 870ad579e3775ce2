#include "outbox/snapshot.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "base/error.hpp"

namespace pgat::outbox {

namespace {

// Reads digits up to the end or one of `ends`, and takes them off `text`.
std::optional<Xid> take_xid(std::string_view &text) {
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || value == 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return Xid(value);
}

bool take(std::string_view &text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

} // namespace

std::optional<Snapshot> Snapshot::parse(std::string_view text) {
    Snapshot snapshot;
    const auto xmin = take_xid(text);
    if (!xmin || !take(text, ':')) return std::nullopt;
    const auto xmax = take_xid(text);
    if (!xmax || *xmax < *xmin || !take(text, ':')) return std::nullopt;
    snapshot.xmin_ = *xmin;
    snapshot.xmax_ = *xmax;
    while (!text.empty()) {
        const auto running = take_xid(text);
        if (!running || *running < *xmin || *running >= *xmax) return std::nullopt;
        if (!snapshot.running_.empty() && *running < snapshot.running_.back()) return std::nullopt;
        // Postgres takes a repeated id for one.
        if (snapshot.running_.empty() || *running != snapshot.running_.back())
            snapshot.running_.push_back(*running);
        // A comma at the very end passes with Postgres, too.
        if (!text.empty() && !take(text, ',')) return std::nullopt;
    }
    return snapshot;
}

Snapshot Snapshot::from_server(std::string_view text) {
    auto snapshot = parse(text);
    if (!snapshot)
        throw Error(Remedy::stop,
                    fmt::format("Postgres answered \"{}\" where a snapshot was expected", text));
    return *std::move(snapshot);
}

std::string Snapshot::text() const {
    std::string text = fmt::format("{}:{}:", xmin_, xmax_);
    for (const Xid running : running_) {
        if (text.back() != ':') text += ',';
        text += std::to_string(running.value());
    }
    return text;
}

bool Snapshot::was_running(Xid xid) const noexcept {
    return std::binary_search(running_.begin(), running_.end(), xid);
}

bool Snapshot::covers(const Snapshot &other) const noexcept {
    // Whom we do not see below other's xmax, other must not see either.
    const auto ours_end = std::lower_bound(running_.begin(), running_.end(), other.xmax_);
    if (!std::includes(other.running_.begin(), other.running_.end(), running_.begin(), ours_end))
        return false;
    if (other.xmax_ <= xmax_) return true;
    const auto beyond = std::lower_bound(other.running_.begin(), other.running_.end(), xmax_);
    return static_cast<std::uint64_t>(other.running_.end() - beyond) ==
           other.xmax_.value() - xmax_.value();
}

Snapshot Snapshot::without(std::vector<Xid> xids) const {
    std::erase_if(xids, [this](Xid xid) { return !sees(xid); });
    if (xids.empty()) return *this;
    std::sort(xids.begin(), xids.end());
    xids.erase(std::unique(xids.begin(), xids.end()), xids.end());
    Snapshot earlier;
    earlier.xmin_ = std::min(xmin_, xids.front());
    earlier.xmax_ = xmax_;
    std::merge(running_.begin(), running_.end(), xids.begin(), xids.end(),
               std::back_inserter(earlier.running_));
    return earlier;
}

} // namespace pgat::outbox
