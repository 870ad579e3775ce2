#include "outbox/stream_row.hpp"

#include <algorithm>
#include <array>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "outbox/failover_state.hpp"
#include "outbox_database.hpp"

namespace pgat::outbox {
namespace {

constexpr StreamId stream(1);
const Home here{"7000000000000000001", 1};

Remedy remedy_of(const std::function<void()> &call, std::string *text = nullptr) {
    try {
        call();
    } catch (const Error &error) {
        if (text != nullptr) *text = error.text();
        return error.remedy();
    }
    ADD_FAILURE() << "no error";
    return Remedy::configure;
}

Cursor full_cursor() {
    return Cursor(Snapshot::from_server("100:200:100,150"), {Xid(150), Xid(1ULL << 40)},
                  EventId(77),
                  Cursor::Round{Snapshot::from_server("200:300:250"),
                                Position{EventId(500), Timestamp(1'795'334'400'123'457)}},
                  {{Xid(100), EventId(90)}, {Xid(250), EventId(80)}},
                  {{EventId(81), Xid(251)}, {EventId(79), Xid(252)}});
}

TEST(StreamRow, IsMadeWhenAStreamIsTakenForTheFirstTime) {
    Database database;
    EXPECT_FALSE(load_stream_row(database.sql, stream));
    const auto taken = take_stream(database.sql, stream, here);
    EXPECT_EQ(taken.origin, Origin::fresh);
    EXPECT_TRUE(taken.before.cursor.delivered().empty());
    const auto row = load_stream_row(database.sql, stream);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->generation, taken.ownership.generation);
    EXPECT_EQ(row->home, here);
    EXPECT_EQ(row->uid, taken.before.uid);
    EXPECT_FALSE(row->uid.empty());
    EXPECT_TRUE(row->written_in_place);
}

TEST(StreamRow, KeepsEveryPartOfACursor) {
    Database database;
    // Whatever the session prints dates like, wherever it thinks it is.
    database.sql.exec("set datestyle = 'SQL, DMY'; set timezone = 'Asia/Kathmandu'; "
                      "set intervalstyle = 'sql_standard'; set extra_float_digits = 0");
    const auto taken = take_stream(database.sql, stream, here);
    store_cursor(database.sql, taken.ownership, full_cursor(), Lsn(0x16'B374D848));
    const auto row = load_stream_row(database.sql, stream);
    ASSERT_TRUE(row);
    const Cursor &cursor = row->cursor;
    EXPECT_EQ(cursor.delivered().text(), "100:200:100,150");
    EXPECT_EQ(cursor.extras().sorted(), (std::vector{Xid(150), Xid(1ULL << 40)}));
    EXPECT_EQ(cursor.floor(), EventId(77));
    ASSERT_TRUE(cursor.round());
    EXPECT_EQ(cursor.round()->snapshot.text(), "200:300:250");
    EXPECT_EQ(cursor.round()->delivered,
              (Position{EventId(500), Timestamp(1'795'334'400'123'457)}));
    ASSERT_EQ(cursor.parts().size(), 2U);
    EXPECT_EQ(cursor.parts()[0].xid, Xid(100));
    EXPECT_EQ(cursor.parts()[0].through, EventId(90));
    ASSERT_EQ(cursor.ahead().size(), 2U);
    EXPECT_EQ(cursor.ahead()[0].id, EventId(79));
    EXPECT_EQ(row->confirmed, Lsn(0x16'B374D848));

    store_cursor(database.sql, taken.ownership, Cursor(), Lsn(5));
    const auto emptied = load_stream_row(database.sql, stream);
    EXPECT_TRUE(emptied->cursor.delivered().empty());
    EXPECT_FALSE(emptied->cursor.round());
    EXPECT_TRUE(emptied->cursor.ahead().empty());
}

TEST(StreamRow, FindsTheTransactionsOfEventsThatRanAhead) {
    Database database;
    database.write(3);
    const Xid xid(
        database.sql.exec("select xid from async_triggers.events").unsigned_integer(0, 0));
    const auto taken = take_stream(database.sql, stream, here);
    Cursor cursor;
    for (const std::int64_t id : {3, 900, 2})
        EXPECT_TRUE(cursor.deliver_ahead(xid, EventId(id)));
    store_cursor(database.sql, taken.ownership, cursor, Lsn(5));
    const auto ahead = load_stream_row(database.sql, stream)->cursor.ahead();
    ASSERT_EQ(ahead.size(), 3U);
    EXPECT_EQ(ahead[0].xid, xid);
    EXPECT_EQ(ahead[1].xid, xid);
    EXPECT_EQ(ahead[2].xid, Xid{}) << "900 is not in the table";
}

TEST(StreamRow, IsExactAboutTimes) {
    Database database;
    database.sql.exec("set datestyle = 'German'; set timezone = 'America/St_Johns'");
    const auto taken = take_stream(database.sql, stream, here);
    for (const std::int64_t time :
         {0LL, 1LL, 951'782'399'999'999LL, 1'795'334'400'123'457LL, 4'102'444'799'999'999LL}) {
        FailoverState state;
        state.first = Position{EventId(9), Timestamp(time)};
        store_failover(database.sql, taken.ownership, state);
        store_next_maintenance(database.sql, taken.ownership, Timestamp(time));
        const auto row = load_stream_row(database.sql, stream);
        EXPECT_EQ(row->failover_checkpoint, (Position{EventId(9), Timestamp(time)}));
        EXPECT_EQ(row->next_maintenance, Timestamp(time));
    }
}

TEST(StreamRow, SaysFailoverWhileThereIsACheckpoint) {
    Database database;
    const auto taken = take_stream(database.sql, stream, here);
    const auto status = [&] {
        return std::string(
            database.sql.exec("select status from async_triggers.streams").text(0, 0));
    };
    EXPECT_EQ(status(), "streaming");
    FailoverState state{Position{EventId(9), Timestamp(1)}, Timestamp(2'000'000), "no answer", 5,
                        Timestamp(3'000'000)};
    store_failover(database.sql, taken.ownership, state);
    EXPECT_EQ(status(), "failover");
    const auto told = [&] {
        const auto row = database.sql.exec(
            "select extract(epoch from failover_since)::bigint, failover_reason, failover_waiting, "
            "extract(epoch from next_attempt_at)::bigint, failover_checkpoint_id "
            "from async_triggers.streams");
        std::string text;
        for (int column = 0; column < 5; ++column)
            text += fmt::format("{}|", row.null(0, column) ? "-" : row.text(0, column));
        return text;
    };
    EXPECT_EQ(told(), "2|no answer|5|3|9|");
    // The sink is back: the row keeps since when and why, and where it has got to.
    store_failover(database.sql, taken.ownership,
                   FailoverState{Position{EventId(12), Timestamp(1)}, {}, {}, 2, {}});
    EXPECT_EQ(told(), "2|no answer|2|-|12|");
    // A later daemon's idea of when it began does not replace the first one's.
    state.since = Timestamp(9'000'000);
    store_failover(database.sql, taken.ownership, state);
    EXPECT_EQ(told(), "2|no answer|5|3|9|");
    store_failover(database.sql, taken.ownership, std::nullopt);
    EXPECT_EQ(status(), "streaming");
    EXPECT_EQ(told(), "-|-|-|-|-|");
    EXPECT_FALSE(load_stream_row(database.sql, stream)->failover_checkpoint);
}

TEST(StreamRow, RefusesEveryWriteOfADaemonThatLostTheStream) {
    Database database;
    const auto first = take_stream(database.sql, stream, here).ownership;
    store_position(database.sql, first, Lsn(10));
    auto other = database.connect();
    const auto second = take_stream(other, stream, here).ownership;
    EXPECT_GT(second.generation, first.generation);
    auto &sql = database.sql;
    const std::vector<std::function<void()>> writes = {
        [&] { store_cursor(sql, first, full_cursor(), Lsn(20)); },
        [&] { store_position(sql, first, Lsn(20)); },
        [&] { store_failover(sql, first, std::nullopt); },
        [&] { store_next_maintenance(sql, first, Timestamp(1)); },
        [&] { require_ownership(sql, first); },
    };
    for (const auto &write : writes) {
        std::string text;
        EXPECT_EQ(remedy_of(write, &text), Remedy::recover);
        EXPECT_NE(text.find("fenced"), std::string::npos);
    }
    const auto row = load_stream_row(sql, stream);
    EXPECT_EQ(row->confirmed, Lsn(10));
    EXPECT_TRUE(row->cursor.delivered().empty());
    require_ownership(sql, second);
    sql.exec("delete from async_triggers.streams");
    EXPECT_EQ(remedy_of([&] { store_position(sql, second, Lsn(20)); }), Remedy::recover);
}

TEST(StreamRow, IsTakenByManyAtOnceOneAfterTheOther) {
    Database database;
    const auto first = take_stream(database.sql, stream, here).ownership.generation;
    constexpr int daemons = 4;
    constexpr int times = 10;
    std::array<std::vector<Generation>, daemons> found;
    std::vector<std::thread> threads;
    for (int daemon = 0; daemon < daemons; ++daemon)
        threads.emplace_back([&, daemon] {
            auto sql = database.connect();
            for (int time = 0; time < times; ++time) {
                const auto taken = take_stream(sql, stream, here);
                EXPECT_EQ(taken.ownership.generation.value(), taken.before.generation.value() + 1);
                found.at(static_cast<std::size_t>(daemon)).push_back(taken.before.generation);
            }
        });
    for (auto &thread : threads)
        thread.join();
    std::vector<Generation> all;
    for (const auto &some : found)
        all.insert(all.end(), some.begin(), some.end());
    std::sort(all.begin(), all.end());
    ASSERT_EQ(all.size(), std::size_t{daemons * times});
    for (std::size_t i = 0; i < all.size(); ++i)
        EXPECT_EQ(all[i].value(), first.value() + static_cast<std::int64_t>(i))
            << "two took it over from the same one";
}

TEST(StreamRow, IsAdoptedWhenItTravelledByteByByte) {
    Database database;
    const auto taken = take_stream(database.sql, stream, {"1", 1});
    store_cursor(database.sql, taken.ownership, full_cursor(), Lsn(10));
    const auto adopted = take_stream(database.sql, stream, here);
    EXPECT_EQ(adopted.origin, Origin::moved);
    EXPECT_EQ(adopted.before.cursor.floor(), EventId(77));
    EXPECT_EQ(take_stream(database.sql, stream, here).origin, Origin::here);
    EXPECT_EQ(take_stream(database.sql, stream, {here.system_identifier, 2}).origin, Origin::here);
}

TEST(StreamRow, OutOfARestoredDumpIsRefusedAndCanBeAdopted) {
    Database database;
    database.write(5);
    take_stream(database.sql, stream, {"1", 1});
    // As pg_dump and pg_restore leave it: the same values in a tuple of another transaction.
    database.sql.exec(
        "create temporary table dumped as select id, uid, generation, system_identifier, "
        "timeline, written_by, cursor_snapshot from async_triggers.streams; "
        "delete from async_triggers.streams; "
        "insert into async_triggers.streams (id, uid, generation, system_identifier, "
        "timeline, written_by, cursor_snapshot) select * from dumped");
    std::string text;
    for (int attempt = 0; attempt < 2; ++attempt)
        EXPECT_EQ(remedy_of([&] { take_stream(database.sql, stream, here); }, &text), Remedy::stop);
    // The statements in quotes are what the operator runs.
    const auto first = text.find("\"begin;");
    ASSERT_NE(first, std::string::npos) << text;
    database.sql.exec(text.substr(first + 1, text.find('"', first + 1) - first - 1));
    const auto second = text.find("\"update", first);
    ASSERT_NE(second, std::string::npos) << text;
    database.sql.exec(text.substr(second + 1, text.find('"', second + 1) - second - 1));
    const auto taken = take_stream(database.sql, stream, here);
    EXPECT_EQ(taken.origin, Origin::fresh);
    EXPECT_TRUE(taken.before.cursor.holds_all_of(
        Xid(database.sql.exec("select xid from async_triggers.events").unsigned_integer(0, 0))));
}

TEST(StreamRow, IsUpdatedInPlace) {
    Database database;
    const auto taken = take_stream(database.sql, stream, here);
    database.sql.exec("begin");
    const auto updated_in_place = [&] {
        return database.number("select pg_stat_get_xact_tuples_hot_updated("
                               "'async_triggers.streams'::regclass)");
    };
    const auto before = updated_in_place();
    for (int i = 0; i < 10; ++i)
        store_cursor(database.sql, taken.ownership, full_cursor(), Lsn(10));
    EXPECT_EQ(updated_in_place() - before, 10);
    database.sql.exec("commit");
}

} // namespace
} // namespace pgat::outbox
