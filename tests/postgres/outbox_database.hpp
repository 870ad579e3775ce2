// A database with our schema, for the tests of core/outbox: new for each object, on the shared server.
#pragma once

#include <string>

#include "outbox/migrations.hpp"
#include "postgres/connection.hpp"
#include "support/cluster.hpp"

namespace pgat::outbox {

class Database {
  public:
    Database() : Database(support::Cluster::shared()) {}
    explicit Database(support::Cluster &cluster)
        : cluster_(cluster), name_(cluster.create_database()), sql(connect()) {
        migrate(sql);
    }

    postgres::Connection connect(const std::string &user = "postgres") const {
        return cluster_.connect(name_, user);
    }
    const std::string &name() const noexcept { return name_; }

    // Adds `count` events of a stream in one statement.
    void write(int count, int stream = 1) {
        sql.exec(
            "insert into async_triggers.events (stream_id, payload) "
            "select $1::bigint, jsonb_build_object('n', n) from generate_series(1, $2::integer) n",
            {stream, count});
    }
    std::int64_t number(const std::string &query) { return sql.exec(query).integer(0, 0); }

  private:
    support::Cluster &cluster_;
    std::string name_;

  public:
    postgres::Connection sql;
};

} // namespace pgat::outbox
