#include "delivery/recovery.hpp"

namespace pgat::delivery {

Recovery::Recovery(StreamId stream, const BatchLimits &limits, Progress &progress, const Halt &halt,
                   DeliverReplayed deliver)
    : stream_(stream), limits_(limits), progress_(progress), halt_(halt),
      deliver_(std::move(deliver)) {}

bool Recovery::finish_open_round(postgres::Connection &sql) {
    if (!progress_.cursor().round()) return true;
    if (!replay(sql)) return false;
    // Of what R does not see nothing new is known: the floor stays.
    progress_.cursor().end_round(progress_.cursor().floor());
    return true;
}

bool Recovery::run_round(postgres::Connection &sql, const outbox::Capture &capture) {
    progress_.remember(capture);
    progress_.cursor().begin_round(capture.snapshot);
    if (!replay(sql)) return false;
    progress_.cursor().end_round(progress_.floor_for(capture.snapshot));
    return true;
}

bool Recovery::replay(postgres::Connection &sql) {
    outbox::ReplayReader reader(stream_, progress_.cursor(), {});
    while (!halt_.halted()) {
        auto page = std::make_shared<outbox::Chunk>();
        if (!reader.read_page(sql, *page)) return true;
        if (!deliver_page(page)) return false;
    }
    return false;
}

bool Recovery::deliver_page(const ChunkPointer &page) {
    auto next = page->events.begin();
    while (next != page->events.end()) {
        batch_.clear();
        batch_.chunks.push_back(page);
        for (; next != page->events.end() && batch_.events.size() < limits_.max_size; ++next) {
            const std::size_t bytes = next->payload.size() + next->metadata.size();
            if (!batch_.events.empty() && batch_.bytes + bytes > limits_.max_bytes) break;
            batch_.events.push_back(&*next);
            batch_.bytes += bytes;
        }
        if (!deliver_(batch_)) return false;
        replayed_ += batch_.events.size();
    }
    return true;
}

} // namespace pgat::delivery
