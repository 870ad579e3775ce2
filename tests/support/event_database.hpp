// A database with our schema, and sessions on it: what tests of the replication stream begin with.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <fmt/format.h>
#include <sql/migrations.hpp>

#include "base/wakeup.hpp"
#include "postgres/connection.hpp"
#include "support/cluster.hpp"

namespace pgat::support {

class EventDatabase {
  public:
    explicit EventDatabase(Cluster &cluster) : EventDatabase(cluster, cluster.create_database()) {}
    // In a database that is there.
    EventDatabase(Cluster &cluster, std::string database)
        : cluster_(cluster), name_(std::move(database)), sql_(cluster.connect(name_)) {
        for (const auto &migration : sql::migrations())
            sql_.exec(fmt::format("BEGIN; {}; COMMIT", migration.text));
    }

    const std::string &name() const noexcept { return name_; }
    Cluster &cluster() const noexcept { return cluster_; }
    postgres::Connection &sql() noexcept { return sql_; }
    postgres::Connection connect() const { return cluster_.connect(name_); }
    postgres::SessionOptions session(const Wakeup *interrupt = nullptr) const {
        postgres::SessionOptions options;
        options.keywords = cluster_.keywords(name_);
        options.interrupt = interrupt;
        return options;
    }

    // Writes `count` events of one stream in one transaction, with payloads {"n": 1}, {"n": 2}, …
    // that carry `padding` more bytes.
    void write(std::int64_t stream, std::int64_t count, std::int64_t padding = 0) {
        sql_.exec("INSERT INTO async_triggers.events (stream_id, payload)"
                  " SELECT $1, jsonb_build_object('n', n)"
                  "  || CASE WHEN $3::int > 0 THEN jsonb_build_object('p', repeat('x', $3::int))"
                  "   ELSE '{}' END"
                  " FROM generate_series(1, $2::bigint) n",
                  {stream, count, padding});
    }

    Lsn wal_position() { return sql_.exec("SELECT pg_current_wal_insert_lsn()").lsn(0, 0); }

  private:
    Cluster &cluster_;
    std::string name_;
    postgres::Connection sql_;
};

} // namespace pgat::support
