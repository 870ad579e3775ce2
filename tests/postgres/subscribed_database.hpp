// A fresh database with our schema, and the roles of a real installation: `daemon` applied the migrations and owns the
// schema, `owner` has the tables and grants the daemon TRIGGER on them, `stranger` has nothing.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "postgres/connection.hpp"
#include "sql/migrations.hpp"
#include "support/cluster.hpp"

namespace pgat::testing {

class SubscribedDatabase {
  public:
    SubscribedDatabase()
        : name(support::Cluster::shared().create_database()), admin(connect("postgres")) {
        admin.exec(R"(
            do $$ begin
                if to_regrole('daemon') is null then
                    create role daemon login replication;
                    create role owner login;
                    create role stranger login;
                end if;
            end $$;
            grant create on schema public to owner, stranger;
        )");
        admin.exec(fmt::format("grant create on database {0} to daemon, owner, stranger", name));
        daemon = connect("daemon");
        for (const auto &migration : sql::migrations())
            daemon.exec("begin;" + std::string(migration.text) + ";commit");
        owner = connect("owner");
        owner.exec("alter default privileges grant trigger on tables to daemon");
    }

    postgres::Connection connect(const std::string &user) const {
        return support::Cluster::shared().connect(name, user);
    }

    // One row of subscriptions, written by the daemon; values as SQL.
    void subscribe(std::string_view key, std::string_view operation, std::string_view table,
                   std::string_view columns = "array['id']", std::string_view when = "null",
                   std::string_view extensions = "'[]'", std::string_view stream = "1") {
        daemon.exec(fmt::format("insert into async_triggers.subscriptions (key, stream_id, "
                                "operation, schema_name, table_name, "
                                "column_names, when_clause, payload_extensions) values ({}, {}, "
                                "'{}', 'public', '{}', {}, {}, {})",
                                daemon.quote_literal(key), stream, operation, table, columns, when,
                                extensions));
    }

    // What `sql` fails with; a failure of the test if it succeeds.
    Error refusal(const std::string &sql) { return refusal(daemon, sql); }
    static Error refusal(postgres::Connection &session, const std::string &sql) {
        try {
            session.exec(sql);
        } catch (const Error &error) {
            return error;
        }
        ADD_FAILURE() << "not refused: " << sql;
        return {Remedy::stop, "not refused"};
    }

    // The first value of the first row, as text.
    std::string value(const std::string &sql) { return value(admin, sql); }
    static std::string value(postgres::Connection &session, const std::string &sql) {
        const auto result = session.exec(sql);
        return result.empty() ? "no row" : std::string(result.text(0, 0));
    }
    // The payload of the newest event, or a part of it by a path such as {new,id}.
    std::string payload(const std::string &path = "{}") {
        return value(fmt::format(
            "select payload #> '{}' from async_triggers.events order by id desc limit 1", path));
    }
    std::string events() { return value("select count(*) from async_triggers.events"); }
    // "table function when", of each of our triggers on it.
    std::string triggers(const std::string &where = "true") {
        return value("select coalesce(string_agg(tgrelid::regclass || ' ' || tgname, ', ' order by "
                     "tgrelid, tgname), '') "
                     "from pg_trigger where tgname like 'async\\_triggers\\_%' and " +
                     where);
    }
    std::string functions() {
        return value("select count(*) from pg_proc where proname like '\\_publish\\_after\\_%'");
    }

    std::string name;
    postgres::Connection admin; // superuser
    postgres::Connection daemon = connect("postgres");
    postgres::Connection owner = connect("postgres");
};

} // namespace pgat::testing
