#include "outbox/copy_row.hpp"

#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "base/error.hpp"

namespace pgat::outbox {

namespace {

[[noreturn]] void broken(std::string_view what) {
    throw Error(Remedy::stop, fmt::format("Postgres's binary COPY is not understood: {}", what))
        .with_hint("the table async_triggers.events is not the one that this program made, or a "
                   "proxy changed what the server sent");
}

// Bytes in network order, with an end.
class Bytes {
  public:
    explicit Bytes(std::string_view left) : left_(left) {}

    bool empty() const noexcept { return left_.empty(); }

    std::string_view take(std::size_t size) {
        if (size > left_.size()) broken("a row ends in the middle of a value");
        const auto taken = left_.substr(0, size);
        left_.remove_prefix(size);
        return taken;
    }

    template <class Number>
    Number number() {
        std::uint64_t value = 0;
        for (const char byte : take(sizeof(Number)))
            value = value << 8 | static_cast<unsigned char>(byte);
        return static_cast<Number>(value);
    }

    std::optional<std::string_view> value() {
        const auto size = number<std::int32_t>();
        if (size == -1) return std::nullopt;
        if (size < 0) broken("a value has a negative length");
        return take(static_cast<std::size_t>(size));
    }

    template <class Number>
    Number fixed() {
        const auto bytes = value();
        if (!bytes || bytes->size() != sizeof(Number)) broken("a number has not its size");
        return Bytes(*bytes).number<Number>();
    }

    // jsonb: a version, which has been 1 ever since, and the text.
    std::optional<std::string_view> jsonb() {
        auto bytes = value();
        if (!bytes) return std::nullopt;
        if (bytes->empty() || bytes->front() != 1) broken("a jsonb value has an unknown version");
        bytes->remove_prefix(1);
        return bytes;
    }

  private:
    std::string_view left_;
};

constexpr std::string_view signature("PGCOPY\n\377\r\n\0", 11);

void skip_header(Bytes &bytes) {
    if (bytes.take(signature.size()) != signature) broken("it does not begin with its signature");
    constexpr std::uint32_t critical = 0xFFFF0000;
    if ((bytes.number<std::uint32_t>() & critical) != 0) broken("its header has unknown flags");
    bytes.take(bytes.number<std::uint32_t>());
}

// Postgres counts microseconds from 2000-01-01.
Timestamp timestamp(std::int64_t since_2000) {
    constexpr std::int64_t offset = 946'684'800'000'000;
    if (since_2000 > INT64_MAX - offset) return Timestamp(INT64_MAX); // infinity
    return Timestamp(since_2000 + offset);
}

} // namespace

void CopyRows::add(std::string_view message, Chunk &chunk, const Wanted &wanted) {
    Bytes bytes(message);
    if (!begun_) {
        skip_header(bytes);
        begun_ = true;
    }
    while (!bytes.empty()) {
        if (ended_) broken("bytes follow its end");
        const auto columns = bytes.number<std::int16_t>();
        if (columns == -1) {
            ended_ = true;
            continue;
        }
        if (columns != 5) broken(fmt::format("a row has {} values, not 5", columns));
        Event event;
        event.xid = Xid(bytes.fixed<std::uint64_t>());
        event.at.id = EventId(bytes.fixed<std::int64_t>());
        event.at.created_at = timestamp(bytes.fixed<std::int64_t>());
        const auto payload = bytes.jsonb();
        if (!payload) broken("an event has no payload");
        const auto metadata = bytes.jsonb().value_or(std::string_view{});

        ++rows_;
        last_ = event.at;
        if (wanted && !wanted(event)) continue;
        event.payload = chunk.arena.copy(*payload);
        event.metadata = chunk.arena.copy(metadata);
        chunk.bytes += payload->size() + metadata.size();
        chunk.events.push_back(event);
    }
}

} // namespace pgat::outbox
