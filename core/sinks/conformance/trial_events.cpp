#include "sinks/conformance/trial_events.hpp"

#include <cstring>

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include "sinks/text.hpp"

namespace pgat::conformance {
namespace {

constexpr std::size_t future_tail = 40;
constexpr int deep = 500;

std::int64_t microseconds_now() {
    return std::chrono::system_clock::now().time_since_epoch() / std::chrono::microseconds(1);
}

std::string next_id() {
    static std::uint64_t last = 0;
    return fmt::format("00000000-0000-4000-8000-{:012}-{}-{}", ::getpid(), ++last,
                       microseconds_now());
}

TrialEvent event(std::string key, std::string payload, std::string metadata = {}) {
    return {next_id(), std::move(key), std::move(payload), std::move(metadata)};
}

std::string repeated(std::string_view part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i)
        text += part;
    return text;
}

// One character of each plane that has any, and of those that trip up who counts in bytes or in UTF-16.
constexpr std::string_view characters = "\u00E9\u0301\u200D\u202E\uFEFF\uFFFD\U0001F600\U0002070E"
                                        "\U000323AF\U000E0041\U000F0000\U0010FFFD";

bool guards_none(BatchShape shape) {
    return shape == BatchShape::ours || shape == BatchShape::future;
}

// To read beyond the end is another check's.
std::string with_room(const void *bytes, std::size_t size) {
    return std::string(static_cast<const char *>(bytes), size) + std::string(64, '\0');
}

} // namespace

std::vector<TrialEvent> one_event() {
    return {event("orders/1", R"({"kind": "conformance", "data": {"id": 1, "note": "one"}})")};
}

std::vector<TrialEvent> usual_events(std::uint32_t count) {
    std::vector<TrialEvent> events;
    events.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i)
        events.push_back(event(
            i % 97 == 96 ? "" : fmt::format("orders/{}", i % 61),
            fmt::format(R"({{"kind": "conformance", "data": {{"id": {}, "total": 12.50}}}})", i),
            i % 3 == 0 ? R"({"source": "conformance"})" : ""));
    return events;
}

std::vector<TrialEvent> odd_events() {
    std::vector<TrialEvent> events = {
        event("", "{}"),
        event("", "[]"),
        event("k", "null"),
        event("k", "0"),
        event("k", R"("")"),
        event("k", R"({"": {"": ""}, "a/b~c": 1, "a": [[], {}, [{}]]})", "{}"),
        event("k",
              R"({"id": 123456789012345678901234567890, "f": -0.000000000000000000000000001})"),
        event("k", "1" + std::string(400, '0')),
        event("k", fmt::format(R"({{"text": "{0}", "{0}": [true]}})", characters)),
        event("k", R"({"text": "\"\\\/\b\f\n\r\t\u001f\u007f\ud83d\ude00"})"),
        event("k", repeated("[", deep) + repeated("]", deep)),
        event("k", repeated(R"({"a": )", deep) + "1" + repeated("}", deep)),
        event("k", " { \"spaces\" :\n[ 1 ,\t2 ] }\n", R"({"list": [1, "two", null]})"),
        event("k", R"({"same": 1, "same": 2})"),
        event(std::string(characters), "{}", fmt::format(R"("{}")", characters)),
        event("a key\nwith {/braces} %20 \"quotes\" & 'more' ; \\", "{}"),
        event(std::string(2000, 'k'), "{}"),
    };
    return events;
}

TrialEvent event_of_size(std::size_t bytes) {
    const std::string_view begin = R"({"kind": "conformance", "text": ")";
    const std::string_view end = "\"}";
    return event("huge", fmt::format("{}{}{}", begin,
                                     std::string(bytes - begin.size() - end.size(), 'x'), end));
}

TrialBatch::TrialBatch(const std::vector<TrialEvent> &events, BatchShape shape)
    : events_(*new std::vector<TrialEvent>(events)), shape_(shape),
      count_(static_cast<std::uint32_t>(events.size())) {
    auto &pointers = *new std::vector<const pgat_event *>;
    for (const TrialEvent &one : events_) {
        pgat_event made{};
        made.struct_size = sizeof made;
        if (shape == BatchShape::future)
            made.struct_size += static_cast<std::uint32_t>(future_tail);
        made.attempt = 1;
        made.id = place_text(one.id, "beyond the end of an event's id",
                             "of an event's id after publish() returned");
        made.key = place_text(one.key, "beyond the end of an event's key",
                              "of an event's key after publish() returned");
        made.payload = place_text(one.payload, "beyond the end of an event's payload",
                                  "of an event's payload after publish() returned");
        made.metadata = place_text(one.metadata, "beyond the end of an event's metadata",
                                   "of an event's metadata after publish() returned");
        made.stream_id = 1;
        made.xid = 4294967296000 + pointers.size();
        made.commit_lsn = 0x1000000;
        made.created_at_us = microseconds_now();
        pointers.push_back(
            static_cast<const pgat_event *>(place(&made, sizeof made, "behind a pgat_event",
                                                  "of a pgat_event after publish() returned")));
    }
    pointers.push_back(nullptr); // to look behind the last is another check's, a sanitizer's too
    pointers_ = !guards_none(shape) ? static_cast<const pgat_event *const *>(
                                          place(pointers.data(), count_ * sizeof pointers[0],
                                                "behind the last of a batch's events",
                                                "of a batch's events after publish() returned"))
                                    : pointers.data();
}

void *TrialBatch::place(const void *bytes, std::size_t size, const char *beyond,
                        const char *sealed) {
    if (shape_ == BatchShape::guarded)
        return guarded_.emplace_back(bytes, size, beyond, sealed).data();
    if (shape_ == BatchShape::sealed)
        return guarded_.emplace_back(with_room(bytes, size), beyond, sealed).data();
    const std::size_t all = size + (shape_ == BatchShape::future ? future_tail : 0);
    void *memory = ::operator new(all);
    std::memset(memory, 0xA5, all);
    std::memcpy(memory, bytes, size);
    return memory;
}

pgat_str TrialBatch::place_text(const std::string &text, const char *beyond, const char *sealed) {
    if (guards_none(shape_) || text.empty()) return sinks::to_abi(text);
    return {static_cast<const char *>(place(text.data(), text.size(), beyond, sealed)),
            text.size()};
}

const pgat_batch *TrialBatch::abi(int cancel_fd, std::chrono::milliseconds within) {
    pgat_batch batch{};
    batch.struct_size = sizeof batch;
    if (shape_ == BatchShape::future) {
        batch.struct_size += static_cast<std::uint32_t>(future_tail);
        batch.flags = 0xFFFF0000U;
    }
    batch.count = count_;
    batch.events = pointers_;
    batch.cancel_fd = cancel_fd;
    if (within.count() != 0) {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        const std::int64_t deadline = std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec +
                                      std::chrono::nanoseconds(within).count();
        batch.deadline_ns = deadline > 0 ? static_cast<std::uint64_t>(deadline) : 1;
    }
    return static_cast<const pgat_batch *>(place(&batch, sizeof batch, "behind a pgat_batch",
                                                 "of a pgat_batch after publish() returned"));
}

void TrialBatch::seal() const {
    for (const GuardedMemory &memory : guarded_)
        memory.seal();
}

} // namespace pgat::conformance
