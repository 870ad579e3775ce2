// The ordering key of an event: what stream.group_key points at in its payload. On the delivery thread.
#pragma once

#include <string>
#include <string_view>

#include "outbox/event.hpp"
#include "sinks/json_lookup.hpp"

namespace pgat::delivery {

class GroupKeys {
  public:
    // A JSON pointer; empty: every event's key is empty, the whole stream is one.
    explicit GroupKeys(std::string pointer) : pointer_(std::move(pointer)) {}

    // The text of a string, any other value as written; empty where the payload has none, or null. Valid
    // until forget().
    std::string_view of(const outbox::Event &event);
    void forget() noexcept;

  private:
    const std::string pointer_;
    sinks::JsonLookup json_;
};

} // namespace pgat::delivery
