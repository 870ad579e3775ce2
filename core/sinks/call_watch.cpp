#include "sinks/call_watch.hpp"

namespace pgat::sinks {

void CallWatch::attach(const Plugin &plugin) { plugin_ = plugin.file.filename().string(); }

void CallWatch::enter(const char *function, Clock::time_point due,
                      std::span<const pgat_event> events, const Verdict *verdicts) noexcept {
    thread_ = pthread_self();
    function_ = function;
    since_ = Clock::now().time_since_epoch().count();
    due_ = due.time_since_epoch().count();
    events_ = events.data();
    verdicts_ = verdicts;
    count_ = events.size();
    ++turn_;
}

void CallWatch::leave() noexcept { ++turn_; }

std::optional<CallWatch::Call> CallWatch::running() const {
    const auto turn = turn_.load();
    if ((turn & 1) == 0) return std::nullopt;
    Call call{plugin_, function_.load(), Clock::time_point(Clock::duration(since_.load())),
              Clock::time_point(Clock::duration(due_.load()))};
    // Of two calls, half and half: a call that ends now hangs no more, and the next one has just begun.
    if (turn_.load() != turn) return std::nullopt;
    return call;
}

std::optional<CallWatch::Call> CallWatch::hanging() const {
    auto call = running();
    if (call && Clock::now() - grace < call->due) call.reset();
    return call;
}

} // namespace pgat::sinks
