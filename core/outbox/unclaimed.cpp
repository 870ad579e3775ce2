#include "outbox/unclaimed.hpp"

#include <fmt/format.h>

#include "outbox/block_ranges.hpp"
#include "outbox/time_text.hpp"

namespace pgat::outbox {

namespace {

constexpr std::string_view without_row =
    "not exists (select from async_triggers.streams s where s.id = e.stream_id)";

} // namespace

std::optional<Unclaimed> unclaimed_in(postgres::Connection &connection,
                                      const std::string &partition) {
    const std::string look =
        fmt::format("select string_agg(distinct e.stream_id::text, ', '), {} "
                    "from async_triggers.{} e where e.ctid >= $1::tid and e.ctid < $2::tid and {}",
                    microseconds_of("min(e.created_at)"), partition, without_row);
    std::optional<Unclaimed> unclaimed;
    each_block_range(connection, partition, [&](const std::string &first, const std::string &end) {
        const auto found = connection.exec(look, {first, end});
        if (!found.null(0, 0))
            unclaimed = Unclaimed{std::string(found.text(0, 0)), Timestamp(found.integer(0, 1))};
        return !unclaimed;
    });
    return unclaimed;
}

bool unclaimed_above(postgres::Connection &connection, const std::string &partition, EventId id) {
    return connection
        .exec(fmt::format("select exists (select from async_triggers.{} e where e.id > "
                          "$1::bigint and {})",
                          partition, without_row),
              {id})
        .boolean(0, 0);
}

void delete_events(postgres::Connection &connection, StreamId stream) {
    for (const std::string &partition : partition_names(connection))
        each_block_range(
            connection, partition, [&](const std::string &first, const std::string &end) {
                connection.exec(fmt::format("delete from async_triggers.{} where ctid >= $1::tid "
                                            "and ctid < $2::tid and stream_id = $3::bigint",
                                            partition),
                                {first, end, stream});
                return true;
            });
}

} // namespace pgat::outbox
