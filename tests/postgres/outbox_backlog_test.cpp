// The backlog is counted in SQL; it must say what Cursor::holds() says.
#include "outbox/backlog.hpp"

#include <random>

#include <gtest/gtest.h>

#include "outbox/time_text.hpp"
#include "outbox_database.hpp"

namespace pgat::outbox {
namespace {

struct Row {
    Xid xid;
    Position at;
};

std::vector<Row> rows_of(postgres::Connection &sql, int stream) {
    const auto result = sql.exec(fmt::format(
        "select xid, id, {} from async_triggers.events where stream_id = {} order by id",
        microseconds_of("created_at"), stream));
    std::vector<Row> rows;
    for (int row = 0; row < result.rows(); ++row)
        rows.push_back({Xid(result.unsigned_integer(row, 0)),
                        {EventId(result.integer(row, 1)), Timestamp(result.integer(row, 2))}});
    return rows;
}

Backlog count(postgres::Connection &sql, StreamId stream, const Cursor &cursor) {
    BacklogCount counting(sql, stream, cursor);
    while (!counting.done())
        counting.count_range(sql);
    return counting.counted();
}

TEST(Backlog, IsEverythingForAFreshStreamAndNothingOfAnother) {
    Database database;
    database.write(3);
    database.write(4, 2);
    const auto backlog = count(database.sql, StreamId(2), Cursor());
    EXPECT_EQ(backlog.events, 4U);
    ASSERT_TRUE(backlog.first);
    EXPECT_EQ(*backlog.first, rows_of(database.sql, 2).front().at);
    const auto none = count(database.sql, StreamId(3), Cursor());
    EXPECT_EQ(none.events, 0U);
    EXPECT_FALSE(none.first);
}

TEST(Backlog, IsCountedInRangesOfIds) {
    Database database;
    database.write(3);
    database.sql.exec("select setval('async_triggers.events_id_seq', 2500000)");
    database.write(4);
    BacklogCount counting(database.sql, StreamId(1), Cursor());
    database.write(5);
    std::vector<std::uint64_t> counted;
    while (!counting.done()) {
        counting.count_range(database.sql);
        counted.push_back(counting.counted().events);
    }
    EXPECT_EQ(counted, (std::vector<std::uint64_t>{3, 3, 7}))
        << "what came since is not looked for";
    EXPECT_EQ(counting.counted().first, rows_of(database.sql, 1).front().at);
}

TEST(Backlog, IsExactlyWhatTheCursorDoesNotHold) {
    Database database;
    for (int transaction = 0; transaction < 30; ++transaction)
        database.write(10);
    const auto rows = rows_of(database.sql, 1);
    std::minstd_rand random(7);
    const auto any_row = [&]() -> const Row & { return rows[random() % rows.size()]; };
    for (int round = 0; round < 50; ++round) {
        const Xid first = rows.front().xid;
        const Xid xmin(first.value() + random() % 15);
        Cursor cursor(Snapshot::from_server(fmt::format("{}:{}:", xmin, xmin)), {any_row().xid},
                      EventId(0), std::nullopt, {}, {});
        if (round % 2 == 0) {
            const Xid xmax(xmin.value() + random() % 15);
            cursor.begin_round(Snapshot::from_server(fmt::format("{}:{}:", xmax, xmax)));
            cursor.round_delivered(any_row().at);
        }
        const auto &part = any_row();
        cursor.deliver_part(part.xid, part.at.id);
        const auto &ahead = any_row();
        ASSERT_TRUE(cursor.deliver_ahead(ahead.xid, ahead.at.id));

        std::uint64_t expected = 0;
        std::optional<Position> lowest;
        for (const auto &row : rows) {
            if (cursor.holds(row.xid, row.at)) continue;
            ++expected;
            if (!lowest) lowest = row.at;
        }
        const auto backlog = count(database.sql, StreamId(1), cursor);
        EXPECT_EQ(backlog.events, expected);
        EXPECT_EQ(backlog.first, lowest);
    }
}

} // namespace
} // namespace pgat::outbox
