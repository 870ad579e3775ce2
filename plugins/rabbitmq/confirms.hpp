// What was published and not answered yet: which event has which number on the channel. No I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace pgat::rabbitmq {

class Confirms {
  public:
    struct Answered {
        std::uint64_t number;
        std::uint32_t event;
        std::string returned; // why it led to no queue; empty: it led to one
    };

    // Numbers grow.
    void add(std::uint64_t number, std::uint32_t event);

    // What an answer to this number settles: it alone, or with `multiple` all up to it. In the order in which
    // they were published.
    void take(std::uint64_t number, bool multiple, std::vector<Answered> &answered);
    // The event led to no queue. It must be under way.
    void note_return(std::uint32_t event, std::string why);

    std::size_t size() const noexcept { return waiting_; }
    bool empty() const noexcept { return waiting_ == 0; }
    // Events under way, in the order in which they were published.
    std::vector<std::uint32_t> events() const;
    // The largest that was added; 0: none since clear().
    std::uint64_t last_number() const noexcept { return last_number_; }
    void clear() noexcept;

  private:
    struct Entry {
        std::uint64_t number;
        std::uint32_t event;
        bool answered = false;
        std::string returned;
    };
    std::deque<Entry> entries_; // the first one is not answered
    std::size_t waiting_ = 0;
    std::uint64_t last_number_ = 0;
};

} // namespace pgat::rabbitmq
