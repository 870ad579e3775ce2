#include "outbox/undelivered.hpp"

#include "outbox/time_text.hpp"
#include "postgres/transaction.hpp"

namespace pgat::outbox {

std::string_view undelivered_condition() noexcept {
    return "e.id > s.cursor_floor "
           "and not coalesce(pg_visible_in_snapshot(e.xid, s.cursor_snapshot), false) "
           "and e.xid <> all (s.cursor_extras) "
           "and not coalesce(pg_visible_in_snapshot(e.xid, s.cursor_round_snapshot) "
           "and (e.id, e.created_at) <= (s.cursor_round_id, s.cursor_round_created_at), false) "
           "and not exists (select from unnest(s.cursor_part_xids, s.cursor_part_ids) "
           "as part (xid, through) where part.xid = e.xid and e.id <= part.through) "
           "and e.id <> all (s.cursor_ahead_ids)";
}

std::vector<Undelivered> undelivered_longer_than(postgres::Connection &connection,
                                                 std::chrono::hours age) {
    postgres::Transaction transaction(connection);
    // The first in the order of the primary key: a planner that knows little of the partitions would
    // rather read and sort them all.
    transaction.set("enable_seqscan", "off");
    transaction.set("enable_bitmapscan", "off");
    transaction.set("enable_sort", "off");
    const auto found = connection.exec(
        fmt::format("select s.id, first.id, {} from async_triggers.streams s cross join lateral "
                    "(select e.id, e.created_at from async_triggers.events e "
                    "where e.stream_id = s.id and e.created_at < now() - make_interval(hours => "
                    "$1::integer) and {} order by e.id, e.created_at limit 1) first order by s.id",
                    microseconds_of("first.created_at"), undelivered_condition()),
        {age.count()});
    transaction.commit();
    std::vector<Undelivered> undelivered;
    for (int row = 0; row < found.rows(); ++row)
        undelivered.push_back({StreamId(found.integer(row, 0)),
                               {EventId(found.integer(row, 1)), Timestamp(found.integer(row, 2))}});
    return undelivered;
}

} // namespace pgat::outbox
