#include "replication/publication.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "support/cluster.hpp"
#include "support/event_database.hpp"
#include "support/failure.hpp"

namespace pgat::replication {
namespace {

using support::Cluster;
using support::EventDatabase;
using support::failure_of;

constexpr StreamId stream(5'000'000'000);
const std::string name = "async_triggers_stream_5000000000";

std::string oid(EventDatabase &database) {
    return std::string(database.sql()
                           .exec("SELECT max(oid) FROM pg_publication WHERE pubname = $1", {name})
                           .text(0, 0));
}

TEST(Publication, HasTheStreamsInsertsThroughThePartitionRoot) {
    EventDatabase database(Cluster::shared());
    EXPECT_EQ(inspect_publication(database.sql(), stream), PublicationState::created);
    EXPECT_EQ(oid(database), "") << "to look changes nothing";
    EXPECT_EQ(ensure_publication(database.sql(), stream), PublicationState::created);

    const auto tables = database.sql().exec(
        "SELECT schemaname, tablename, rowfilter FROM pg_publication_tables WHERE pubname = $1",
        {name});
    ASSERT_EQ(tables.rows(), 1);
    EXPECT_EQ(tables.text(0, 0), "async_triggers");
    EXPECT_EQ(tables.text(0, 1), "events");
    EXPECT_EQ(tables.text(0, 2), "(stream_id = '5000000000'::bigint)");
    EXPECT_EQ(database.sql()
                  .exec("SELECT (pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot)::text"
                        " FROM pg_publication WHERE pubname = $1",
                        {name})
                  .text(0, 0),
              "(t,f,f,f,t)");
}

TEST(Publication, IsLeftAloneWhenItIsRight) {
    EventDatabase database(Cluster::shared());
    for (const auto id : {StreamId(1), StreamId(-7), stream}) {
        ensure_publication(database.sql(), id);
        EXPECT_EQ(ensure_publication(database.sql(), id), PublicationState::right);
        EXPECT_EQ(inspect_publication(database.sql(), id), PublicationState::right);
    }
}

TEST(Publication, IsMadeAgainWhateverElseItWas) {
    EventDatabase database(Cluster::shared());
    auto &sql = database.sql();
    sql.exec("CREATE TABLE other (id int, stream_id bigint); CREATE SCHEMA more");
    const std::string events = "TABLE async_triggers.events";
    const std::string right_filter = " WHERE (stream_id = '5000000000'::bigint)";
    const std::string right_options =
        " WITH (publish = 'insert', publish_via_partition_root = true)";
    for (const auto &wrong : {
             "" + right_options,
             " FOR ALL TABLES" + right_options,
             " FOR " + events + right_options,
             " FOR " + events + " WHERE (stream_id = '1'::bigint)" + right_options,
             " FOR " + events + " (xid, id, created_at, stream_id, payload)" + right_filter +
                 right_options,
             " FOR TABLE other" + right_filter + right_options,
             " FOR TABLE async_triggers.events_default" + right_filter + right_options,
             " FOR " + events + right_filter + ", TABLE other" + right_options,
             " FOR " + events + right_filter + ", TABLES IN SCHEMA more" + right_options,
             " FOR " + events + " WITH (publish = 'insert')",
             " FOR " + events + right_filter +
                 " WITH (publish = 'insert, truncate', publish_via_partition_root = true)",
             " FOR " + events + right_filter +
                 " WITH (publish = '', publish_via_partition_root = true)",
         }) {
        SCOPED_TRACE(wrong);
        sql.exec("DROP PUBLICATION IF EXISTS " + name);
        sql.exec("CREATE PUBLICATION " + name + wrong);
        EXPECT_EQ(inspect_publication(sql, stream), PublicationState::mended);
        EXPECT_EQ(ensure_publication(sql, stream), PublicationState::mended);
        EXPECT_EQ(ensure_publication(sql, stream), PublicationState::right);
    }
}

TEST(Publication, IsMadeOnceByTwoDaemonsAtOnce) {
    EventDatabase database(Cluster::shared());
    for (int round = 0; round < 20; ++round) {
        drop_publication(database.sql(), stream);
        PublicationState found[2];
        {
            auto first = database.connect();
            auto second = database.connect();
            std::thread daemon([&] { found[0] = ensure_publication(first, stream); });
            found[1] = ensure_publication(second, stream);
            daemon.join();
        }
        EXPECT_NE(found[0], found[1]);
        EXPECT_EQ(std::max(found[0], found[1]), PublicationState::created);
    }
}

TEST(Publication, NamesThePrivilegeThatIsMissing) {
    EventDatabase database(Cluster::shared());
    database.sql().exec("CREATE ROLE publication_owner LOGIN;"
                        "GRANT USAGE ON SCHEMA async_triggers TO publication_owner;"
                        "ALTER TABLE async_triggers.events OWNER TO publication_owner");
    auto session = database.cluster().connect(database.name(), "publication_owner");
    const auto error = failure_of([&] { ensure_publication(session, stream); });
    EXPECT_EQ(error.remedy(), Remedy::stop);
    EXPECT_EQ(error.sqlstate(), "42501");
    EXPECT_NE(error.hint().find("GRANT CREATE ON DATABASE"), std::string::npos) << error.hint();

    database.sql().exec("GRANT CREATE ON DATABASE " + database.name() + " TO publication_owner");
    EXPECT_EQ(ensure_publication(session, stream), PublicationState::created);
    EXPECT_EQ(ensure_publication(session, stream), PublicationState::right);
    drop_publication(session, stream);
}

TEST(Publication, CanBeDroppedTwice) {
    EventDatabase database(Cluster::shared());
    ensure_publication(database.sql(), stream);
    drop_publication(database.sql(), stream);
    drop_publication(database.sql(), stream);
    EXPECT_EQ(inspect_publication(database.sql(), stream), PublicationState::created);
}

TEST(Publication, AsksForTheMigrationsWhereThereIsNoTable) {
    auto session = Cluster::shared().connect(Cluster::shared().create_database());
    const auto error = failure_of([&] { ensure_publication(session, stream); });
    EXPECT_EQ(error.remedy(), Remedy::stop);
    EXPECT_NE(error.hint().find("migrate"), std::string::npos);
    EXPECT_EQ(session.exec("SELECT 1").integer(0, 0), 1) << "the session is out of its transaction";
}

} // namespace
} // namespace pgat::replication
