#include "delivery/recovery.hpp"

#include "base/fault_point.hpp"
#include "outbox/page_ahead.hpp"

namespace pgat::delivery {

Recovery::Recovery(StreamId stream, const BatchLimits &limits, Progress &progress, const Halt &halt,
                   OpenSession open_session, DeliverReplayed deliver)
    : stream_(stream), limits_(limits), progress_(progress), halt_(halt),
      open_session_(std::move(open_session)), deliver_(std::move(deliver)) {}

bool Recovery::finish_open_round(postgres::Connection &sql) {
    if (!progress_.cursor().round()) return true;
    if (!replay(sql)) return false;
    // Nothing may be known of what R does not see: then the floor stays.
    const auto floor = progress_.floor_for(progress_.cursor().round()->snapshot);
    progress_.cursor().end_round(floor);
    return true;
}

bool Recovery::run_round(postgres::Connection &sql, const outbox::Capture &capture) {
    progress_.remember(capture);
    progress_.cursor().begin_round(capture.snapshot);
    fault_point("round_begun");
    if (!replay(sql)) return false;
    progress_.cursor().end_round(progress_.floor_for(capture.snapshot));
    fault_point("round_ended");
    return true;
}

bool Recovery::replay(postgres::Connection &sql) {
    outbox::ReplayReader reader(stream_, progress_.cursor(), {});
    // Mostly there is little to do. A longer replay reads its next page while one is being delivered.
    for (int page = 0; page < 2 && !reader.done(); ++page) {
        outbox::Chunk chunk;
        if (!reader.read_page(sql, chunk)) return true;
        if (!deliver_page(std::move(chunk))) return false;
    }
    if (reader.done()) return true;
    outbox::PageAhead pages(open_session_(), std::move(reader));
    while (auto chunk = pages.next())
        if (!deliver_page(std::move(*chunk))) return false;
    return true;
}

bool Recovery::deliver_page(outbox::Chunk chunk) {
    if (halt_.halted()) return false;
    const auto page = std::make_shared<const outbox::Chunk>(std::move(chunk));
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
    fault_point("page_delivered");
    return true;
}

} // namespace pgat::delivery
