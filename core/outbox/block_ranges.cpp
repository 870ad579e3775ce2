#include "outbox/block_ranges.hpp"

#include <cstdint>

#include <fmt/format.h>

namespace pgat::outbox {

void each_block_range(postgres::Connection &connection, const std::string &partition,
                      const std::function<bool(const std::string &, const std::string &)> &visit) {
    constexpr std::int64_t step = 8192; // blocks: 64 MB as Postgres is built everywhere
    const auto blocks =
        connection
            .exec("select pg_relation_size(format('async_triggers.%I', $1::text)::regclass) / "
                  "current_setting('block_size')::bigint",
                  {partition})
            .integer(0, 0);
    for (std::int64_t first = 0; first < blocks; first += step)
        if (!visit(fmt::format("({},0)", first), fmt::format("({},0)", first + step))) return;
}

std::vector<std::string> partition_names(postgres::Connection &connection) {
    const auto found =
        connection.exec("select relname from pg_inherits join pg_class on pg_class.oid = inhrelid "
                        "where inhparent = 'async_triggers.events'::regclass "
                        "and relnamespace = 'async_triggers'::regnamespace order by relname");
    std::vector<std::string> names;
    for (int row = 0; row < found.rows(); ++row)
        names.emplace_back(found.text(row, 0));
    return names;
}

} // namespace pgat::outbox
