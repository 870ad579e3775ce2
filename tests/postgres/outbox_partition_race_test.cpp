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

class PartitionOfToday : public testing::Test {
  protected:
    PartitionOfToday()
        : cluster_(Cluster::shared()), database_(cluster_.create_database()), session_(connect()) {
        migrate(session_);
    }

    postgres::Connection connect() const { return cluster_.connect(database_); }

    // Nothing of the day's is there again; false: nothing was.
    bool remove(const PartitionWork &work) {
        for (const auto &name : work.created) {
            session_.exec("ALTER TABLE async_triggers.events DETACH PARTITION async_triggers." +
                          name);
            session_.exec("DROP TABLE async_triggers." + name);
        }
        return !work.created.empty();
    }

    Cluster &cluster_;
    const std::string database_;
    postgres::Connection session_;
};

TEST_F(PartitionOfToday, WaitsForAStatementThatHasChosenTheDefaultPartition) {
    // It knows its partitions, and comes to the row when it is let.
    auto gate = connect();
    gate.exec("SELECT pg_advisory_lock(1)");
    std::string trouble;
    std::thread writer([&, own = connect()]() mutable {
        try {
            own.exec("INSERT INTO async_triggers.events (stream_id, payload)"
                     " SELECT 1, '{}' FROM (SELECT pg_advisory_xact_lock(1) OFFSET 0) AS gate");
        } catch (const Error &error) {
            trouble = error.what();
        }
    });
    const auto waiting_for = [&](const char *what) {
        return gate.exec("SELECT FROM pg_locks WHERE NOT granted AND locktype = $1"
                         " AND database = (SELECT oid FROM pg_database WHERE datname = $2)",
                         {what, database_})
                   .rows() == 1;
    };
    EXPECT_TRUE(support::eventually([&] { return waiting_for("advisory"); }));
    PartitionWork work;
    std::atomic<bool> done{false};
    std::thread maker([&, own = connect()]() mutable {
        create_partitions(own, {.days_ahead = 0, .lock_timeout = std::chrono::minutes(1)}, work);
        done = true;
    });
    support::eventually([&] { return done || waiting_for("relation"); });
    EXPECT_FALSE(done);
    gate.exec("SELECT pg_advisory_unlock(1)");
    writer.join();
    maker.join();
    EXPECT_EQ(trouble, "");
    // Its row is in the default partition now, and the day stays there.
    EXPECT_EQ(work.left_in_default.size(), 1U);
}

TEST_F(PartitionOfToday, IsMadeWithoutFailingAnyWriter) {
    std::atomic<bool> over{false};
    std::atomic<int> failures{0};
    std::atomic<int> writes{0};
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i)
        writers.emplace_back([&, own = connect()]() mutable {
            while (!over) {
                try {
                    // Rows that stay would keep the day in the default partition.
                    own.exec("BEGIN; INSERT INTO async_triggers.events (stream_id, payload)"
                             " VALUES (1, '{}'); ROLLBACK");
                    ++writes;
                } catch (const Error &) {
                    ++failures;
                    own.exec("ROLLBACK");
                }
            }
        });
    int made = 0;
    for (int round = 0; round < 20; ++round) {
        const int before = writes;
        support::eventually([&] { return writes > before + 20; });
        PartitionWork work;
        create_partitions(session_, {.days_ahead = 0}, work);
        if (remove(work)) ++made;
    }
    over = true;
    for (auto &writer : writers)
        writer.join();
    EXPECT_EQ(failures, 0);
    EXPECT_GT(made, 10);
}

} // namespace
} // namespace pgat::outbox
