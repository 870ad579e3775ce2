// An application that writes as applications do: sessions that overlap, rows that change again and again,
// changes that are taken back. One thread at a time.
#pragma once

#include "support/daemon.hpp"

namespace pgat::fault_points {

class Application {
  public:
    // Of begin() and write() together.
    static constexpr int events_at_a_time = 9;

    // On public.items, whose inserts the site's stream is subscribed to already.
    explicit Application(support::Site &site) : early_(site.connect()), sql_(site.connect()) {
        site.exec("UPDATE async_triggers.subscriptions SET column_names = '{id,n}'");
        site.exec("INSERT INTO async_triggers.subscriptions"
                  " (key, stream_id, operation, schema_name, table_name, column_names)"
                  " VALUES ('item-changed', $1, 'UPDATE', 'public', 'items', '{id,n}')",
                  {site.stream()});
        sql_.exec("CREATE SEQUENCE item_ids START 4");
        sql_.exec("INSERT INTO items SELECT i FROM generate_series(1, 3) i");
    }

    // Takes its transaction's id and its events' before those of write(), and is not committed.
    void begin() {
        early_.exec("BEGIN");
        early_.exec("INSERT INTO items SELECT nextval('item_ids') FROM generate_series(1, 3)");
        early_.exec("UPDATE items SET n = n + 1 WHERE id = 1");
        early_.exec("SET CONSTRAINTS ALL IMMEDIATE");
        open_ = true;
    }
    void write() {
        sql_.exec("INSERT INTO items SELECT nextval('item_ids') FROM generate_series(1, 2)");
        sql_.exec("BEGIN; UPDATE items SET n = n + 1 WHERE id = 2;"
                  " SAVEPOINT a; INSERT INTO items SELECT nextval('item_ids');"
                  " SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK TO a;"
                  " UPDATE items SET n = n + 1 WHERE id IN (2, 3); COMMIT");
        sql_.exec("BEGIN; INSERT INTO items SELECT nextval('item_ids');"
                  " SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK");
    }
    // What was begun, if anything was.
    void commit() {
        if (open_) early_.exec("COMMIT");
        open_ = false;
    }

    void write_for_a_while() {
        for (int i = 0; i < 5; ++i) {
            begin();
            write();
            commit();
        }
    }

  private:
    postgres::Connection early_;
    postgres::Connection sql_;
    bool open_ = false;
};

} // namespace pgat::fault_points
