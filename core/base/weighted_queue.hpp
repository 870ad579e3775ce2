// A queue between two threads, bounded by a weight (bytes) and a count, that can be closed.
//
// The producer must not block (it answers keepalives): it asks full() before it reads more, and is
// rung through `on_room` when there is room again. One item heavier than the whole bound still
// passes, alone. After close() push() drops its item; pop drains what is left, then returns
// nothing.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace pgat {

template <class T>
class WeightedQueue {
  public:
    struct Bounds {
        std::size_t count;
        std::size_t weight;
    };

    // `on_room` is called, without the lock, by the consumer's thread whenever a full queue has
    // room again. It must outlive the queue and not throw.
    explicit WeightedQueue(Bounds bounds, std::function<void()> on_room = {})
        : bounds_(bounds), on_room_(std::move(on_room)) {}

    // Adds without waiting, whether full or not: the producer asked full() before. False: closed.
    bool push(T item, std::size_t count, std::size_t weight) {
        {
            const std::lock_guard lock(mutex_);
            if (closed_) return false;
            items_.push_back({std::move(item), count, weight});
            count_ += count;
            weight_ += weight;
        }
        filled_.notify_one();
        return true;
    }

    bool full() const {
        const std::lock_guard lock(mutex_);
        return is_full();
    }

    // The next item, waiting until `deadline` for one. Nothing: none came in time, or closed and
    // empty.
    template <class Clock, class Duration>
    std::optional<T> pop_until(std::chrono::time_point<Clock, Duration> deadline) {
        std::unique_lock lock(mutex_);
        filled_.wait_until(lock, deadline,
                           [this] { return closed_ || nudged_ || !items_.empty(); });
        nudged_ = false;
        return take(lock);
    }

    std::optional<T> try_pop() {
        std::unique_lock lock(mutex_);
        return take(lock);
    }

    // Ends a wait of the consumer without an item: something else wants its attention.
    void nudge() {
        {
            const std::lock_guard lock(mutex_);
            nudged_ = true;
        }
        filled_.notify_one();
    }

    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        filled_.notify_all();
    }

    bool closed() const {
        const std::lock_guard lock(mutex_);
        return closed_;
    }

    // Items' counts and weights waiting now.
    Bounds held() const {
        const std::lock_guard lock(mutex_);
        return {count_, weight_};
    }

  private:
    struct Slot {
        T item;
        std::size_t count;
        std::size_t weight;
    };

    bool is_full() const { return count_ >= bounds_.count || weight_ >= bounds_.weight; }

    std::optional<T> take(std::unique_lock<std::mutex> &lock) {
        if (items_.empty()) return std::nullopt;
        const bool was_full = is_full();
        Slot slot = std::move(items_.front());
        items_.pop_front();
        count_ -= slot.count;
        weight_ -= slot.weight;
        const bool room = was_full && !is_full();
        lock.unlock();
        if (room && on_room_) on_room_();
        return std::optional<T>(std::move(slot.item));
    }

    const Bounds bounds_;
    const std::function<void()> on_room_;
    mutable std::mutex mutex_;
    std::condition_variable filled_;
    std::deque<Slot> items_;
    std::size_t count_ = 0;
    std::size_t weight_ = 0;
    bool closed_ = false;
    bool nudged_ = false;
};

} // namespace pgat
