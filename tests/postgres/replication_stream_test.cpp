#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "replication/publication.hpp"
#include "replication/slot.hpp"
#include "replication/slot_creation.hpp"
#include "replication/stream.hpp"
#include "support/cluster.hpp"
#include "support/event_database.hpp"
#include "support/failure.hpp"
#include "support/stream_reader.hpp"
#include "support/waiting.hpp"

namespace pgat::replication {
namespace {

using namespace std::chrono_literals;
using support::Cluster;
using support::EventDatabase;
using support::eventually;
using support::failure_of;
using support::StreamReader;

constexpr StreamId id(1);

class Stream : public testing::Test {
  protected:
    explicit Stream(Cluster &cluster = Cluster::shared()) : database(cluster) {
        ensure_publication(database.sql(), id);
        auto session = replication();
        create_slot(session, slot_name);
    }
    ~Stream() override {
        const auto gone = [&] {
            try {
                drop_slot(database.sql(), slot_name);
                return true;
            } catch (const Error &) {
                return !database.sql().usable();
            }
        };
        eventually(gone);
    }

    postgres::Connection
    replication(std::vector<std::pair<std::string, std::string>> settings = {}) const {
        auto options = replication_session(database.session());
        options.settings.insert(options.settings.end(), settings.begin(), settings.end());
        return postgres::Connection::open(options);
    }
    StreamRequest request() const { return {slot_name, stream_object_name(id), Lsn()}; }
    ReplicationStream open(const Wakeup *wakeup = nullptr) const {
        return {replication(), request(), wakeup};
    }
    Lsn confirmed() { return find_slot(database.sql(), slot_name)->confirmed_flush; }
    // Whatever the failure is, the stream ends with it within a minute.
    static Error end_of(StreamReader &reader) {
        return failure_of([&] { reader.until([] { return false; }); });
    }

    EventDatabase database;
    const std::string slot_name = "slot_of_" + database.name();
};

std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t all = 0;
    std::size_t resident = 0;
    file >> all >> resident;
    return resident * 4096;
}

TEST_F(Stream, HasTheInsertsOfEveryPartitionAndOfItsOwnStreamOnly) {
    auto &sql = database.sql();
    sql.exec("CREATE TABLE async_triggers.events_20200101 PARTITION OF async_triggers.events"
             " FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')");
    auto stream = open();
    StreamReader reader(stream, id);
    database.write(1, 2);
    sql.exec(
        "BEGIN;"
        "INSERT INTO async_triggers.events (stream_id, payload) VALUES (2, '{}');"
        "INSERT INTO async_triggers.events (stream_id, payload, metadata, created_at)"
        " VALUES (1, '{\"old\": true}', '{\"to\": \"here\"}', '2020-01-01 12:00:00.000001+00');"
        "COMMIT;"
        "BEGIN; INSERT INTO async_triggers.events (stream_id, payload) VALUES (1, '1');"
        "ROLLBACK;"
        "DELETE FROM async_triggers.events WHERE id = 1;"
        "UPDATE async_triggers.events SET payload = '[]' WHERE id = 2");
    database.write(2, 5);
    database.write(1, 1);
    ASSERT_TRUE(reader.until_events(4));

    const auto &events = reader.chunk.events;
    EXPECT_EQ(events[0].payload, "{\"n\": 1}");
    EXPECT_EQ(events[1].payload, "{\"n\": 2}");
    EXPECT_EQ(events[2].payload, "{\"old\": true}");
    EXPECT_EQ(events[2].metadata, "{\"to\": \"here\"}");
    EXPECT_EQ(events[2].at.created_at, Timestamp(1'577'880'000'000'001));
    EXPECT_EQ(events[3].payload, "{\"n\": 1}");
    EXPECT_EQ(events[0].xid, events[1].xid);
    EXPECT_NE(events[1].xid, events[2].xid);

    const auto rows = sql.exec("SELECT xid, id, (extract(epoch FROM created_at) * 1000000)::bigint"
                               " FROM async_triggers.events WHERE id = $1",
                               {events[3].at.id});
    EXPECT_EQ(rows.unsigned_integer(0, 0), events[3].xid.value());
    EXPECT_EQ(rows.integer(0, 2), events[3].at.created_at.value());

    std::vector<Xid> completed;
    for (const auto &mark : reader.chunk.marks)
        if (mark.xid != Xid()) completed.push_back(mark.xid);
    EXPECT_EQ(completed, (std::vector<Xid>{events[0].xid, events[2].xid, events[3].xid}));
}

TEST_F(Stream, GoesOnWhereItWasConfirmed) {
    Lsn after_first;
    {
        auto stream = open();
        StreamReader reader(stream, id);
        database.write(1, 1);
        ASSERT_TRUE(reader.until_events(1));
        after_first = reader.chunk.marks.back().position;
        database.write(1, 2);
        ASSERT_TRUE(reader.until_events(3));
        reader.confirm(after_first);
        stream.finish(std::chrono::steady_clock::now() + 10s);
    }
    EXPECT_FALSE(find_slot(database.sql(), slot_name)->active) << "free when finish() returns";
    EXPECT_EQ(confirmed(), after_first);
    auto stream = open();
    StreamReader reader(stream, id);
    ASSERT_TRUE(reader.until_events(2));
    EXPECT_EQ(reader.chunk.events[0].payload, "{\"n\": 1}");
    EXPECT_EQ(reader.chunk.events[1].payload, "{\"n\": 2}");
}

TEST_F(Stream, NeverMovesTheSlotBack) {
    auto stream = open();
    StreamReader reader(stream, id);
    database.write(1, 1);
    ASSERT_TRUE(reader.until_events(1));
    const auto first = reader.chunk.marks.back().position;
    database.write(1, 1);
    ASSERT_TRUE(reader.until_events(2));
    const auto second = reader.chunk.marks.back().position;
    stream.send_status(second, second);
    stream.send_status(first, first);
    stream.finish(std::chrono::steady_clock::now() + 10s);
    EXPECT_EQ(confirmed(), second);
}

TEST_F(Stream, MovesTheSlotOnThoughNothingIsForIt) {
    auto stream = open();
    StreamReader reader(stream, id);
    database.sql().exec("CREATE TABLE neighbour AS SELECT n FROM generate_series(1, 10000) n");
    const auto target = database.wal_position();
    ASSERT_TRUE(reader.until([&] { return reader.keepalive >= target; }));
    ASSERT_FALSE(reader.chunk.marks.empty());
    const auto mark = reader.chunk.marks.back();
    EXPECT_GE(mark.position, target);
    EXPECT_EQ(mark.xid, Xid());
    reader.confirm(mark.position);
    EXPECT_TRUE(eventually([&] { return confirmed() >= target; }));
}

TEST_F(Stream, IsEndedByTheServerWhenNoStatusIsSent) {
    ReplicationStream stream(replication({{"wal_sender_timeout", "1s"}}), request(), nullptr);
    const auto error = failure_of([&] {
        const auto deadline = std::chrono::steady_clock::now() + 30s;
        while (std::chrono::steady_clock::now() < deadline)
            if (!stream.next()) stream.poll(deadline);
    });
    EXPECT_EQ(error.remedy(), Remedy::reconnect);
}

TEST_F(Stream, OutlivesAReaderThatDoesNotReadForFiveTimesTheServersPatience) {
    // More than the kernel's buffers hold: the server is stuck in the middle of the transaction.
    constexpr std::size_t count = 20'000;
    database.write(1, count, 1000);
    ReplicationStream stream(replication({{"wal_sender_timeout", "2s"}}), request(), nullptr);
    StreamReader reader(stream, id);
    ASSERT_TRUE(reader.until([&] { return reader.chunk.events.size() >= 10; }));
    reader.let_pass(10s);
    ASSERT_TRUE(find_slot(database.sql(), slot_name)->active);
    ASSERT_TRUE(reader.until_events(count));
    EXPECT_EQ(reader.chunk.events.size(), count);
    EXPECT_EQ(find_slot(database.sql(), slot_name)->active_pid, stream.session().backend_pid());
}

TEST_F(Stream, LetsALargeTransactionThroughInConstantMemory) {
    auto stream = open();
    StreamReader reader(stream, id);
    database.write(1, 1000, 300);
    ASSERT_TRUE(reader.until_events(1000));
    reader.chunk = {};
    const auto before = resident_bytes();

    std::thread writer([&] { database.write(1, 200'000, 300); });
    std::size_t seen = 0;
    EXPECT_TRUE(reader.until([&] {
        if (reader.chunk.events.size() >= 1000 || !reader.chunk.marks.empty()) {
            for (const auto &event : reader.chunk.events) {
                const auto expected = "{\"n\": " + std::to_string(++seen) + ", ";
                if (!event.payload.starts_with(expected)) ADD_FAILURE() << event.payload;
            }
            reader.chunk = {};
        }
        return seen == 200'000;
    }));
    const auto after = resident_bytes();
    writer.join();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // they keep what is freed
    EXPECT_LT(after, before + 8 * 1024 * 1024);
#else
    static_cast<void>(before + after);
#endif
}

TEST_F(Stream, EndsItsWaitWhenItsOwnerIsRung) {
    Wakeup bell;
    auto stream = open(&bell);
    while (stream.next()) {
    }
    bell.ring();
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    using Ready = ReplicationStream::Ready;
    EXPECT_EQ(stream.poll(deadline, ReplicationStream::Interest::none), Ready::wakeup);
    EXPECT_EQ(stream.poll(deadline), Ready::wakeup);
    bell.clear();
    EXPECT_EQ(stream.poll(std::chrono::steady_clock::now(), ReplicationStream::Interest::none),
              Ready::time);
}

TEST_F(Stream, SaysThatAnotherHoldsTheSlot) {
    auto stream = open();
    auto second = replication();
    const auto error =
        failure_of([&] { ReplicationStream(std::move(second), request(), nullptr); });
    EXPECT_EQ(error.sqlstate(), "55006");
    EXPECT_EQ(error.remedy(), Remedy::retry);
    EXPECT_EQ(failure_of([&] { drop_slot(database.sql(), slot_name); }).sqlstate(), "55006");
}

TEST_F(Stream, RecoversFromAMissingSlot) {
    drop_slot(database.sql(), slot_name);
    const auto error = failure_of([&] { open(); });
    EXPECT_EQ(error.sqlstate(), "42704");
    EXPECT_EQ(error.remedy(), Remedy::recover);
}

TEST_F(Stream, RecoversFromAPublicationThatIsYoungerThanTheSlot) {
    drop_publication(database.sql(), id);
    database.write(1, 1);
    const auto lost = database.wal_position();
    EXPECT_EQ(ensure_publication(database.sql(), id), PublicationState::created);
    auto stream = open();
    StreamReader reader(stream, id);
    const auto error = end_of(reader);
    EXPECT_EQ(error.sqlstate(), "42704") << error.what();
    EXPECT_EQ(error.remedy(), Remedy::recover);
    for (const auto &mark : reader.chunk.marks)
        EXPECT_LT(mark.position, lost) << "nothing after the lost row may be confirmed";
}

TEST_F(Stream, RecoversWhenThePublicationIsDroppedBeneathIt) {
    auto stream = open();
    StreamReader reader(stream, id);
    database.write(1, 1);
    ASSERT_TRUE(reader.until_events(1));
    drop_publication(database.sql(), id);
    database.write(1, 1);
    const auto error = end_of(reader);
    EXPECT_EQ(error.sqlstate(), "42704") << error.what();
    EXPECT_EQ(error.remedy(), Remedy::recover);
}

TEST_F(Stream, ReconnectsWhenItsServerProcessIsTerminated) {
    auto stream = open();
    StreamReader reader(stream, id);
    database.sql().exec("SELECT pg_terminate_backend($1)", {stream.session().backend_pid()});
    const auto error = end_of(reader);
    EXPECT_EQ(error.remedy(), Remedy::reconnect);
    EXPECT_EQ(error.sqlstate(), "57P01");
}

TEST_F(Stream, ReconnectsWhenTheConnectionIsCut) {
    auto stream = open();
    StreamReader reader(stream, id);
    ::shutdown(PQsocket(stream.session().handle()), SHUT_RDWR);
    EXPECT_EQ(end_of(reader).remedy(), Remedy::reconnect);
}

TEST_F(Stream, NoticesTheCutThoughItDoesNotRead) {
    auto stream = open();
    StreamReader reader(stream, id);
    ::shutdown(PQsocket(stream.session().handle()), SHUT_RDWR);
    const auto error = failure_of([&] { reader.let_pass(30s); });
    EXPECT_EQ(error.remedy(), Remedy::reconnect);
}

TEST_F(Stream, DoesNotHangWhenTheServerNeverEndsItsHalf) {
    auto stream = open();
    database.write(1, 50'000, 1000);
    const auto before = std::chrono::steady_clock::now();
    try {
        stream.finish(before + 20ms);
    } catch (const Error &error) {
        EXPECT_EQ(error.remedy(), Remedy::reconnect);
    }
    EXPECT_LT(std::chrono::steady_clock::now(), before + 5s);
}

class StreamOfItsOwnServer : public Stream {
  protected:
    StreamOfItsOwnServer() : Stream(own()) {}
    ~StreamOfItsOwnServer() override = default;
    static void TearDownTestSuite() { server.reset(); }
    static Cluster &own() {
        if (!server) server = std::make_unique<Cluster>();
        return *server;
    }
    static inline std::unique_ptr<Cluster> server;
};

TEST_F(StreamOfItsOwnServer, LetsTheServerShutDownOnceAllIsConfirmed) {
    // The server would wait for the confirmation for ever.
    ReplicationStream stream(replication({{"wal_sender_timeout", "0"}}), request(), nullptr);
    StreamReader reader(stream, id);
    std::thread shutdown([&] { own().stop(Cluster::Stop::fast); });
    const auto error = failure_of([&] {
        reader.until([&] {
            if (!reader.chunk.marks.empty()) reader.confirm(reader.chunk.marks.back().position);
            return false;
        });
    });
    shutdown.join();
    EXPECT_EQ(error.remedy(), Remedy::reconnect);
    own().start();
}

TEST_F(StreamOfItsOwnServer, ReconnectsWhenTheServerCrashes) {
    auto stream = open();
    StreamReader reader(stream, id);
    own().stop(Cluster::Stop::immediate);
    EXPECT_EQ(end_of(reader).remedy(), Remedy::reconnect);
    own().start();
}

} // namespace
} // namespace pgat::replication
