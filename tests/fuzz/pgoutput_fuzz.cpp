// Messages of the replication stream: whatever comes, it becomes events or an Error, and nothing is
// read outside of it. The input is a sequence of messages, each after its length in two bytes.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "outbox/stream_event.hpp"
#include "replication/frame.hpp"

namespace {

using namespace pgat;

// In memory of its own, so that a sanitizer sees a read beyond its end.
class Message {
  public:
    explicit Message(std::string_view bytes)
        : bytes_(std::make_unique<char[]>(bytes.size())), size_(bytes.size()) {
        bytes.copy(bytes_.get(), bytes.size());
    }
    std::string_view view() const noexcept { return {bytes_.get(), size_}; }

  private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_;
};

void frame(std::string_view bytes, outbox::StreamEvents &events, outbox::Chunk &chunk) {
    const Message message(bytes);
    try {
        const auto frame = replication::parse_frame(message.view());
        if (const auto *keepalive = std::get_if<replication::Keepalive>(&frame))
            events.add(*keepalive, chunk);
        else
            events.add(std::get<replication::WalData>(frame).bytes, chunk);
    } catch (const Error &) {
    }
}

void pgoutput(std::string_view bytes, outbox::StreamEvents &events, outbox::Chunk &chunk) {
    const Message message(bytes);
    try {
        events.add(message.view(), chunk);
    } catch (const Error &) {
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char *>(data), size);
    outbox::StreamEvents events(StreamId(1));
    outbox::Chunk chunk;
    while (input.size() >= 2) {
        const std::size_t length =
            static_cast<std::size_t>(static_cast<std::uint8_t>(input[0])) * 256 +
            static_cast<std::uint8_t>(input[1]);
        input.remove_prefix(2);
        const auto message = input.substr(0, length);
        input.remove_prefix(message.size());
        frame(message, events, chunk);
        pgoutput(message, events, chunk);
    }
    std::size_t before = 0;
    for (const auto &mark : chunk.marks) {
        if (mark.events_before < before || mark.events_before > chunk.events.size())
            __builtin_trap();
        before = mark.events_before;
    }
    return 0;
}
