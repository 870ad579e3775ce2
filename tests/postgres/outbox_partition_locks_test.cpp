// Work on partitions meets the locks of others: it gives way and comes back, it never fails.
#include <gtest/gtest.h>

#include "outbox/partitions.hpp"
#include "outbox_database.hpp"

namespace pgat::outbox {
namespace {

using Names = std::vector<std::string>;

TEST(PartitionLocks, OnTheDefaultPartitionOnlyPutOffItsCleaning) {
    Database database;
    const PartitionPolicy policy{.drop_undelivered = true}; // no stream has delivered it
    database.sql.exec("insert into async_triggers.events (stream_id, created_at, payload) "
                      "values (1, now() - interval '20 days', '{}')");
    database.sql.exec("set lock_timeout = '50ms'");
    auto other = database.connect();
    // As ATTACH holds it, of a daemon that was cut off before it could commit.
    other.exec("begin; lock table only async_triggers.events_default in access exclusive mode");
    PartitionWork work;
    EXPECT_TRUE(clean_default_partition(database.sql, policy, 10, work));
    EXPECT_EQ(work.again, Names{"clean events_default"});
    other.exec("rollback");
    PartitionWork next;
    EXPECT_FALSE(clean_default_partition(database.sql, policy, 10, next));
    EXPECT_EQ(next.again, Names{});
    EXPECT_EQ(next.deleted_from_default, 1U);
}

} // namespace
} // namespace pgat::outbox
