#include "outbox/stream_event.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support/pgoutput_bytes.hpp"

namespace pgat::outbox {
namespace {

using support::begin_message;
using support::Bytes;
using support::commit_message;
using support::relation_message;

constexpr std::uint32_t events_oid = 16400;
constexpr std::uint64_t epoch_1 = std::uint64_t{1} << 32;

Bytes events_relation() {
    return relation_message(events_oid, "async_triggers", "events",
                            {{"xid", 5069},
                             {"id", 20},
                             {"stream_id", 20},
                             {"created_at", 1184},
                             {"payload", 3802},
                             {"metadata", 3802}});
}

struct Row {
    std::uint64_t xid = epoch_1 + 7;
    std::uint64_t id = 1;
    std::uint64_t stream = 1;
    std::string payload = "{}";
    std::string metadata = {};
};

Bytes event_row(const Row &row) {
    Bytes bytes('I');
    bytes.int32(events_oid).raw("N").int16(6);
    bytes.binary(Bytes().int64(row.xid)).binary(Bytes().int64(row.id));
    bytes.binary(Bytes().int64(row.stream)).binary(Bytes().int64(1'000'000 + row.id));
    bytes.binary(Bytes().int8(1).raw(row.payload));
    if (row.metadata.empty())
        bytes.null();
    else
        bytes.binary(Bytes().int8(1).raw(row.metadata));
    return bytes;
}

template <class Call>
Remedy remedy_of(Call &&call) {
    try {
        call();
    } catch (const Error &error) {
        return error.remedy();
    }
    ADD_FAILURE() << "no error";
    return Remedy::retry;
}

TEST(StreamEvents, TurnATransactionIntoEventsAndAMark) {
    StreamEvents events(StreamId(1));
    Chunk chunk;
    events.add(begin_message(500, 42, 7), chunk);
    EXPECT_TRUE(events.in_transaction());
    events.add(events_relation(), chunk);
    events.add(event_row({.id = 11, .payload = "{\"a\": 1}", .metadata = "{\"t\": 2}"}), chunk);
    events.add(event_row({.id = 12, .payload = "[]"}), chunk);
    events.add(commit_message(500, 560, 42), chunk);
    EXPECT_FALSE(events.in_transaction());

    ASSERT_EQ(chunk.events.size(), 2U);
    EXPECT_EQ(chunk.events[0].xid, Xid(epoch_1 + 7));
    EXPECT_EQ(chunk.events[0].at.id, EventId(11));
    EXPECT_EQ(chunk.events[0].at.created_at, Timestamp(946'684'801'000'011));
    EXPECT_EQ(chunk.events[0].commit_lsn, Lsn(500));
    EXPECT_EQ(chunk.events[0].payload, "{\"a\": 1}");
    EXPECT_EQ(chunk.events[0].metadata, "{\"t\": 2}");
    EXPECT_EQ(chunk.events[1].metadata, "");
    EXPECT_EQ(chunk.bytes, 8U + 8U + 2U);
    ASSERT_EQ(chunk.marks.size(), 1U);
    EXPECT_EQ(chunk.marks[0].events_before, 2U);
    EXPECT_EQ(chunk.marks[0].position, Lsn(560));
    EXPECT_EQ(chunk.marks[0].xid, Xid(epoch_1 + 7));
    EXPECT_EQ(events.last_commit_at(), Timestamp(946'684'800'000'042));
}

TEST(StreamEvents, CopyPayloadsOutOfTheMessage) {
    StreamEvents events(StreamId(1));
    Chunk chunk;
    events.add(begin_message(500, 0, 7), chunk);
    events.add(events_relation(), chunk);
    {
        auto row = event_row({.payload = "\"kept\""}).str();
        events.add(row, chunk);
        row.assign(row.size(), '!');
    }
    EXPECT_EQ(chunk.events.at(0).payload, "\"kept\"");
}

TEST(StreamEvents, LetATransactionFlowThroughSeveralChunks) {
    StreamEvents events(StreamId(1));
    Chunk first;
    events.add(begin_message(500, 0, 7), first);
    events.add(events_relation(), first);
    events.add(event_row({.id = 1}), first);
    Chunk second;
    events.add(commit_message(500, 560, 0), second);
    EXPECT_TRUE(first.marks.empty());
    ASSERT_EQ(second.marks.size(), 1U);
    EXPECT_EQ(second.marks[0].events_before, 0U);
    EXPECT_EQ(second.marks[0].xid, Xid(epoch_1 + 7));
}

TEST(StreamEvents, ReadTextColumnsToo) {
    StreamEvents events(StreamId(1));
    Chunk chunk;
    events.add(begin_message(500, 0, 7), chunk);
    events.add(events_relation(), chunk);
    Bytes row('I');
    row.int32(events_oid).raw("N").int16(6).text("4294967303").text("11").text("1");
    row.text("2000-01-01 00:00:01.000011+00").text("{\"a\": 1}").text("{}");
    events.add(row, chunk);
    ASSERT_EQ(chunk.events.size(), 1U);
    EXPECT_EQ(chunk.events[0].xid, Xid(epoch_1 + 7));
    EXPECT_EQ(chunk.events[0].at.id, EventId(11));
    EXPECT_EQ(chunk.events[0].at.created_at, Timestamp(946'684'801'000'011));
    EXPECT_EQ(chunk.events[0].payload, "{\"a\": 1}");
    EXPECT_EQ(chunk.events[0].metadata, "{}");
}

TEST(StreamEvents, FindColumnsByNameInAnyOrder) {
    StreamEvents events(StreamId(1));
    Chunk chunk;
    events.add(begin_message(500, 0, 7), chunk);
    events.add(relation_message(events_oid, "async_triggers", "events_20261122",
                                {{"payload", 3802},
                                 {"added_later", 25},
                                 {"metadata", 3802},
                                 {"created_at", 1184},
                                 {"stream_id", 20},
                                 {"id", 20},
                                 {"xid", 5069}}),
               chunk);
    Bytes row('I');
    row.int32(events_oid).raw("N").int16(7).text("{}").text("?").null();
    row.text("2000-01-01 00:00:00+00").text("1").text("11").text("7");
    events.add(row, chunk);
    ASSERT_EQ(chunk.events.size(), 1U);
    EXPECT_EQ(chunk.events[0].at.id, EventId(11));
    EXPECT_EQ(chunk.events[0].xid, Xid(7));
}

TEST(StreamEvents, LeaveOutOtherStreamsAndOtherTables) {
    StreamEvents events(StreamId(1));
    Chunk chunk;
    events.add(begin_message(500, 0, 7), chunk);
    events.add(events_relation(), chunk);
    events.add(relation_message(1, "public", "events", {{"id", 20}}), chunk);
    events.add(relation_message(2, "async_triggers", "dead_letters", {{"event_id", 20}}), chunk);
    events.add(event_row({.stream = 2}), chunk);
    events.add(Bytes('I').int32(1).raw("N").int16(1).text("1"), chunk);
    events.add(Bytes('I').int32(2).raw("N").int16(1).text("1"), chunk);
    events.add(Bytes('U').int32(events_oid).raw("N").int16(1).text("1"), chunk);
    events.add(Bytes('D').int32(events_oid).raw("K").int16(1).text("1"), chunk);
    events.add(Bytes('T').int32(1).int8(0).int32(events_oid), chunk);
    events.add(Bytes('Y').int32(1).string("a").string("b"), chunk);
    events.add(Bytes('O').int64(1).string("a"), chunk);
    events.add(Bytes('M').int8(0).int64(1).string("a").int32(0), chunk);
    EXPECT_TRUE(chunk.events.empty());
    events.add(commit_message(500, 560, 0), chunk);
    ASSERT_EQ(chunk.marks.size(), 1U);
    EXPECT_EQ(chunk.marks[0].position, Lsn(560));
    EXPECT_EQ(chunk.marks[0].xid, Xid()) << "no event told the transaction's full id";
}

TEST(StreamEvents, DoNotTakeAForeignXidForTheTransactions) {
    StreamEvents events(StreamId(1));
    Chunk chunk;
    events.add(begin_message(500, 0, 7), chunk);
    events.add(events_relation(), chunk);
    events.add(event_row({.xid = 3}), chunk); // written by the table's owner
    events.add(commit_message(500, 560, 0), chunk);
    EXPECT_EQ(chunk.events.at(0).xid, Xid(3));
    EXPECT_EQ(chunk.marks.at(0).xid, Xid());
}

TEST(StreamEvents, MarkTheProgressOfAnIdleStream) {
    StreamEvents events(StreamId(1));
    Chunk chunk;
    events.add(replication::Keepalive{Lsn(100), {}, false}, chunk);
    events.add(replication::Keepalive{Lsn(100), {}, false}, chunk);
    ASSERT_EQ(chunk.marks.size(), 1U);
    EXPECT_EQ(chunk.marks[0].position, Lsn(100));
    EXPECT_EQ(chunk.marks[0].xid, Xid());
    events.add(replication::Keepalive{Lsn(200), {}, false}, chunk);
    ASSERT_EQ(chunk.marks.size(), 1U) << "progress upon progress is one mark";
    EXPECT_EQ(chunk.marks[0].position, Lsn(200));
    events.add(replication::Keepalive{Lsn(150), {}, false}, chunk);
    EXPECT_EQ(chunk.marks.back().position, Lsn(200)) << "a mark never goes back";
}

TEST(StreamEvents, NeverPassOverATransactionsMark) {
    StreamEvents events(StreamId(1));
    Chunk chunk;
    events.add(begin_message(500, 0, 7), chunk);
    events.add(events_relation(), chunk);
    events.add(event_row({}), chunk);
    events.add(replication::Keepalive{Lsn(450), {}, true}, chunk);
    EXPECT_TRUE(chunk.marks.empty()) << "its own Commit comes";
    events.add(commit_message(500, 560, 0), chunk);
    events.add(replication::Keepalive{Lsn(600), {}, true}, chunk);
    ASSERT_EQ(chunk.marks.size(), 2U);
    EXPECT_EQ(chunk.marks[0].xid, Xid(epoch_1 + 7));
    EXPECT_EQ(chunk.marks[1].position, Lsn(600));
}

TEST(StreamEvents, RefuseAStreamThatIsOutOfStep) {
    const auto fresh = [](auto &&feed) {
        return remedy_of([&] {
            StreamEvents events(StreamId(1));
            Chunk chunk;
            feed(events, chunk);
        });
    };
    EXPECT_EQ(fresh([](auto &events, auto &chunk) { events.add(event_row({}), chunk); }),
              Remedy::reconnect);
    EXPECT_EQ(fresh([](auto &events, auto &chunk) {
                  events.add(begin_message(500, 0, 7), chunk);
                  events.add(event_row({}), chunk);
              }),
              Remedy::reconnect);
    EXPECT_EQ(fresh([](auto &events, auto &chunk) {
                  events.add(begin_message(500, 0, 7), chunk);
                  events.add(begin_message(600, 0, 8), chunk);
              }),
              Remedy::reconnect);
    EXPECT_EQ(fresh([](auto &events, auto &chunk) {
                  events.add(begin_message(500, 0, 7), chunk);
                  events.add(commit_message(501, 560, 0), chunk);
              }),
              Remedy::reconnect);
    EXPECT_EQ(fresh([](auto &events, auto &chunk) { events.add(commit_message(1, 2, 0), chunk); }),
              Remedy::reconnect);
    EXPECT_EQ(fresh([](auto &events, auto &chunk) {
                  events.add(begin_message(500, 0, 7), chunk);
                  events.add(events_relation(), chunk);
                  events.add(Bytes('I').int32(events_oid).raw("N").int16(1).null(), chunk);
              }),
              Remedy::reconnect);
}

TEST(StreamEvents, StopAtATableOrAProtocolThatTheyDoNotKnow) {
    StreamEvents events(StreamId(1));
    Chunk chunk;
    EXPECT_EQ(remedy_of([&] {
                  events.add(relation_message(3, "async_triggers", "events", {{"id", 20}}), chunk);
              }),
              Remedy::stop);
    EXPECT_EQ(remedy_of([&] { events.add("P", chunk); }), Remedy::stop);
    events.add(begin_message(500, 0, 7), chunk);
    events.add(events_relation(), chunk);
    Bytes row('I');
    row.int32(events_oid).raw("N").int16(6).text("7").text("11").text("1");
    row.text("2000-01-01 00:00:00+00").null().null();
    EXPECT_EQ(remedy_of([&] { events.add(row, chunk); }), Remedy::stop) << "no payload";
}

} // namespace
} // namespace pgat::outbox
