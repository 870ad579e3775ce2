// How many messages may be under way. After a refusal it is one, until as many as were under way then have
// been answered one by one: so the message that closes the channel is found. Then it doubles with each such
// number that the broker takes, up to the configured window: so a broker that refuses in the middle (a full
// queue, say) is overtaken by a window's worth of later messages once at most.
#pragma once

#include <algorithm>
#include <cstddef>

namespace pgat::rabbitmq {

class SlowStart {
  public:
    explicit SlowStart(std::size_t most) noexcept : most_(most), limit_(most) {}

    std::size_t limit() const noexcept { return limit_; }
    // The broker refused one of `under_way` messages, and it is not known which one; 1: it is.
    void refused(std::size_t under_way) noexcept {
        limit_ = 1;
        alone_ = under_way - 1;
        taken_ = 0;
    }
    void taken(std::size_t count) noexcept {
        const std::size_t checked = std::min(alone_, count);
        alone_ -= checked;
        count -= checked;
        if (limit_ == most_) return;
        for (taken_ += count; taken_ >= limit_ && limit_ < most_;) {
            taken_ -= limit_;
            limit_ = std::min(most_, limit_ * 2);
        }
    }

  private:
    std::size_t most_;
    std::size_t limit_;
    std::size_t alone_ = 0; // to go one by one
    std::size_t taken_ = 0; // since the limit last changed
};

} // namespace pgat::rabbitmq
