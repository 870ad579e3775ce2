// What every test of the dispatcher begins with: a sink that does as it is told, and a batch.
#pragma once

#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "delivery/dispatcher.hpp"
#include "delivery/scripted_sink.hpp"

namespace pgat::delivery {

struct DispatcherTest : testing::Test {
    DispatchPolicy policy{StreamId(1), "", 3, 1ms, 2ms, 3, true, 100, 60s};
    ScriptedSink sink;
    Halt halt;
    DeliveryCounts counts;
    std::vector<std::pair<std::int64_t, std::uint32_t>> dead; // id, attempts
    std::shared_ptr<outbox::Chunk> chunk = std::make_shared<outbox::Chunk>();
    Batch batch;

    void events(int count) {
        for (int id = 1; id <= count; ++id)
            chunk->events.push_back({Xid(9), {EventId(id), Timestamp(1000 + id)}, Lsn(), "{}", {}});
        for (const auto &event : chunk->events)
            batch.events.push_back(&event);
    }
    void events_from(int first, int count) {
        batch.clear();
        chunk->events.clear();
        for (int id = first; id < first + count; ++id)
            chunk->events.push_back({Xid(9), {EventId(id), Timestamp(1000 + id)}, Lsn(), "{}", {}});
        for (const auto &event : chunk->events)
            batch.events.push_back(&event);
    }
    Settled deliver(Dispatcher &dispatcher) {
        return dispatcher.deliver(batch, "uid", [this](std::span<const Rejection> rejections) {
            for (const auto &letter : rejections)
                dead.emplace_back(letter.event->at.id.value(), letter.attempts);
        });
    }
    Settled deliver() {
        Dispatcher dispatcher(sink, policy, halt, counts);
        return deliver(dispatcher);
    }
    // As the pipeline does: what is left is offered again when the outage says so. How often.
    int deliver_through_outages(Dispatcher &dispatcher) {
        int times = 1;
        for (auto settled = deliver(dispatcher); !settled.whole; ++times) {
            std::this_thread::sleep_until(dispatcher.outage()->next_attempt);
            std::vector<const outbox::Event *> left;
            auto next = settled.delivered.begin();
            for (std::size_t i = settled.prefix; i < batch.events.size(); ++i) {
                if (next != settled.delivered.end() && *next == i)
                    ++next;
                else
                    left.push_back(batch.events[i]);
            }
            batch.events = left;
            settled = deliver(dispatcher);
        }
        return times;
    }
};

} // namespace pgat::delivery
