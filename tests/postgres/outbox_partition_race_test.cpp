// Making the partition of the running day beside writers.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "outbox/migrations.hpp"
#include "outbox/partitions.hpp"
#include "support/cluster.hpp"
#include "support/waiting.hpp"

namespace pgat::outbox {
namespace {

using support::Cluster;

TEST(PartitionOfToday, IsMadeWithoutFailingAnyWriter) {
    auto &cluster = Cluster::shared();
    const auto database = cluster.create_database();
    auto session = cluster.connect(database);
    migrate(session);
    std::atomic<bool> over{false};
    std::atomic<int> failures{0};
    std::atomic<int> writes{0};
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i)
        writers.emplace_back([&] {
            auto own = cluster.connect(database);
            while (!over) {
                try {
                    own.exec(
                        "INSERT INTO async_triggers.events (stream_id, payload) VALUES (1, '{}')");
                    ++writes;
                } catch (const Error &) {
                    ++failures;
                }
            }
        });
    for (int round = 0; round < 20; ++round) {
        const int before = writes;
        support::eventually([&] { return writes > before + 20; });
        session.exec("DELETE FROM async_triggers.events_default");
        PartitionWork work;
        create_partitions(session, {.days_ahead = 0}, work);
        for (const auto &name : work.created) {
            session.exec("ALTER TABLE async_triggers.events DETACH PARTITION async_triggers." +
                         name);
            session.exec("DROP TABLE async_triggers." + name);
        }
    }
    over = true;
    for (auto &writer : writers)
        writer.join();
    EXPECT_EQ(failures, 0);
    EXPECT_GT(writes, 0);
}

} // namespace
} // namespace pgat::outbox
