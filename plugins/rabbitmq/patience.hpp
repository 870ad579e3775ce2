// How long one call of the host may wait, and what ends its waiting early: cancellation.
#pragma once

#include "pgat/sink.hpp"

namespace pgat::rabbitmq {

class Patience {
  public:
    // `cancel_fd`: readable once the call is to return; -1: the host is asked instead.
    Patience(plugin::Host host, plugin::TimePoint deadline, int cancel_fd)
        : host_(host), deadline_(deadline), cancel_fd_(cancel_fd) {}

    plugin::TimePoint deadline() const noexcept { return deadline_; }
    bool cancelled() const noexcept { return host_.cancelled(); }
    // From now on cancellation ends no wait: what is under way may still be answered.
    void deafen() noexcept { deaf_ = true; }

    // Waits until poll(2) has `events` on `fd`, `until`, the deadline, or cancellation. What poll found; 0: one
    // of the others came first.
    short wait(int fd, short events, plugin::TimePoint until) const;

    // The same, for what is useless without its end: throws Failure(PGAT_E_CANCELLED) when cancelled, and
    // false says that the time is up.
    bool wait_or_stop(int fd, short events, plugin::TimePoint until) const;

  private:
    plugin::Host host_;
    plugin::TimePoint deadline_;
    int cancel_fd_;
    bool deaf_ = false;
};

} // namespace pgat::rabbitmq
